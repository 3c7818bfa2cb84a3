#pragma once

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <weft/executor/future.hpp>

// How coroutines wait for futures. Users read task.hpp.

namespace weft::inline v1 {

template <typename Value>
class task;

namespace detail {

/// What resumes the coroutines of one call tree. A coroutine that waits hands its handle and what it waits
/// for to its driver, and resumes nothing itself.
class coroutine_driver {
 public:
  coroutine_driver(const coroutine_driver&) = delete;
  coroutine_driver& operator=(const coroutine_driver&) = delete;

  /// May the coroutine call what waits? Else that would hold a thread of an executor.
  bool may_wait() const noexcept { return may_wait_; }
  /// `waiting` is suspended until `source` is ready.
  void wait_for(future_core& source, std::coroutine_handle<> waiting) noexcept {
    source_ = &source;
    waiting_ = waiting;
  }
  /// For the coroutine that goes on: throws where the wait was given up.
  void check_wait() {
    if (gave_up_ != nullptr) std::rethrow_exception(std::exchange(gave_up_, nullptr));
  }

 protected:
  explicit coroutine_driver(bool may_wait) noexcept : may_wait_(may_wait) {}
  ~coroutine_driver() = default;
  future_core* source_ = nullptr;    // of the wait; null while a coroutine runs
  std::coroutine_handle<> waiting_;  // the one to be resumed next
  std::exception_ptr gave_up_;

 private:
  const bool may_wait_;
};

/// Runs coroutines on the running task, which waits for what they wait for.
class waiting_driver final : public coroutine_driver {
 public:
  waiting_driver() noexcept : coroutine_driver(true) {}
  void run(std::coroutine_handle<> root);
};

/// A call that waits, see waiting().
template <typename Work>
class waiting_call;

template <typename Awaited>
inline constexpr bool can_be_awaited_by_task = false;
template <typename Value>
inline constexpr bool can_be_awaited_by_task<future<Value>> = true;
template <typename Value>
inline constexpr bool can_be_awaited_by_task<task<Value>> = true;
template <typename Work>
inline constexpr bool can_be_awaited_by_task<waiting_call<Work>> = true;

/// What the promises of all tasks have.
class task_promise_base {
 public:
  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
      const auto caller = done.promise().caller_;
      return caller ? caller : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  template <typename Awaited>
  Awaited&& await_transform(Awaited&& awaited) const noexcept {
    static_assert(can_be_awaited_by_task<std::remove_reference_t<Awaited>>,
                  "a weft::task can co_await a weft::future, a weft::task and weft::waiting(f); for another "
                  "awaitable bring its value by a weft::promise, see weft::from_callback");
    return std::forward<Awaited>(awaited);
  }

  coroutine_driver* driver_ = nullptr;
  std::coroutine_handle<> caller_;  // null for the outermost
};

/// A suspended coroutine of another library: who takes it, once, resumes it, or sees to it that nobody does.
class foreign_wait {
 public:
  explicit foreign_wait(std::coroutine_handle<> waiting) noexcept : frame_(waiting.address()) {}
  /// Null: somebody else did.
  std::coroutine_handle<> take() noexcept {
    void* const frame = frame_.exchange(nullptr, std::memory_order_acq_rel);
    return frame == nullptr ? nullptr : std::coroutine_handle<>::from_address(frame);
  }

 private:
  std::atomic<void*> frame_;
};

/// Takes `waiting` and runs it on, on the executor and in the context of here, when `source` is ready. Where
/// the executor refuses or drops it, whoever finds that does.
void resume_when_ready(future_core& source, std::shared_ptr<foreign_wait> waiting);

/// co_await of a future: the value or the error, as get().
template <typename Value>
class future_awaiter {
 public:
  explicit future_awaiter(future_state<Value>* state_ref) noexcept : state_(state_ref) {}
  future_awaiter(const future_awaiter&) = delete;
  future_awaiter& operator=(const future_awaiter&) = delete;
  ~future_awaiter() {
    if (foreign_ != nullptr) foreign_->take();  // a frame that was destroyed is not resumed
    state_->release();
  }

  bool await_ready() const noexcept { return state_->is_ready(); }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    if constexpr (std::derived_from<Promise, task_promise_base>) {
      driver_ = waiting.promise().driver_;
      driver_->wait_for(*state_, waiting);
    } else {
      foreign_ = std::make_shared<foreign_wait>(waiting);
      resume_when_ready(*state_, foreign_);  // it may go on, and this end, before that returns
    }
  }
  Value await_resume() {
    if (driver_ != nullptr) driver_->check_wait();
    state_->wait_ready(no_deadline);  // only until who brought it has left
    return state_->take().value();
  }

 private:
  future_state<Value>* state_;  // owned
  coroutine_driver* driver_ = nullptr;
  std::shared_ptr<foreign_wait> foreign_;
};

}  // namespace detail
}  // namespace weft::inline v1
