#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/task_block.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/future.hpp>

namespace weft {

namespace detail {

/// What resumes the coroutines of one call tree. A coroutine that waits hands its handle and what it waits
/// for to its driver, and resumes nothing itself.
class coroutine_driver {
 public:
  coroutine_driver() = default;
  coroutine_driver(const coroutine_driver&) = delete;
  coroutine_driver& operator=(const coroutine_driver&) = delete;

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
  ~coroutine_driver() = default;
  future_core* source_ = nullptr;    // of the wait; null while a coroutine runs
  std::coroutine_handle<> waiting_;  // the one to be resumed next
  std::exception_ptr gave_up_;
};

/// Runs coroutines on the running task, which waits for what they wait for.
class waiting_driver final : public coroutine_driver {
 public:
  void run(std::coroutine_handle<> root);
};

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

  coroutine_driver* driver_ = nullptr;
  std::coroutine_handle<> caller_;  // null for the outermost
};

/// Runs a foreign coroutine on, on its executor and in its context, when `source` is ready. One use.
void resume_when_ready(future_core& source, std::coroutine_handle<> waiting);

/// co_await of a future: the value or the error, as get().
template <typename Value>
class future_awaiter {
 public:
  explicit future_awaiter(future_state<Value>* state_ref) noexcept : state_(state_ref) {}
  future_awaiter(const future_awaiter&) = delete;
  future_awaiter& operator=(const future_awaiter&) = delete;
  ~future_awaiter() { state_->release(); }

  bool await_ready() const noexcept { return state_->is_ready(); }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    if constexpr (std::derived_from<Promise, task_promise_base>) {
      driver_ = waiting.promise().driver_;
      driver_->wait_for(*state_, waiting);
    } else {
      resume_when_ready(*state_, waiting);
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
};

template <typename Value>
class task_promise;

}  // namespace detail

/// Suspends the coroutine, of any library, until the future is ready; a thread never waits. A weft::task goes
/// on as its driver says; another coroutine on the executor that is current here, in the context of here.
/// Takes the future over.
template <typename Value>
detail::future_awaiter<Value> operator co_await(future<Value>&& of) {
  return detail::future_awaiter<Value>(detail::future_access::take(of, "co_await"));
}
template <typename Value>
detail::future_awaiter<Value> operator co_await(future<Value>& of) {
  return detail::future_awaiter<Value>(detail::future_access::take(of, "co_await"));
}

/// A C++20 coroutine: lazy, it begins when it is awaited, and does so once.
///
/// Inside, `co_await` takes futures and other tasks. await(task) runs it on the calling fiber or thread,
/// where it may also call whatever waits; start(task) runs it on an executor, whose threads it leaves while
/// it awaits. Its context is its own: scopes in it survive each co_await, wherever it goes on. A task that is
/// dropped before its end ends with what it holds.
template <typename Value = void>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<Value>;
  using value_type = Value;

  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<detail::task_promise_base> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> caller) noexcept {
    handle_.promise().driver_ = caller.promise().driver_;
    handle_.promise().caller_ = caller;
    return handle_;
  }
  Value await_resume() { return handle_.promise().take().value(); }

  /// For weft's own use.
  std::coroutine_handle<promise_type> handle() const noexcept { return handle_; }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <typename Value>
class task_promise_of : public task_promise_base {
 public:
  void unhandled_exception() noexcept { outcome_.emplace(std::current_exception()); }
  result<Value> take() noexcept { return std::move(*outcome_); }

 protected:
  std::optional<result<Value>> outcome_;
};

template <typename Value>
class task_promise final : public task_promise_of<Value> {
 public:
  task<Value> get_return_object() noexcept {
    return task<Value>(std::coroutine_handle<task_promise>::from_promise(*this));
  }
  template <std::convertible_to<Value> From>
  void return_value(From&& value) {
    this->outcome_.emplace(result<Value>(Value(std::forward<From>(value))));
  }
};
template <>
class task_promise<void> final : public task_promise_of<void> {
 public:
  task<void> get_return_object() noexcept {
    return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
  }
  void return_void() noexcept { outcome_.emplace(result<void>()); }
};

/// The coroutines of a started task: a task of its own, which is carried by whatever task of the executor
/// resumes it.
///
/// It is the running task while it is carried: so its context, its scopes and its cancellation are its own
/// and it takes them along. It leaves its carrier before it is registered with what it waits for, so nobody
/// resumes it too early. carrier_lock_ guards carrier_ and permit_; stop_lock_ what is cancelled. Cancelling
/// takes stop_lock_, then that of the cancel tree, then carrier_lock_ to unpark.
class carried_task : public task_block, public coroutine_driver, private future_callback {
 public:
  bool park_until(steady_time until) final;
  void unpark() noexcept final;
  std::string_view name() const noexcept final { return "task"; }

 protected:
  carried_task(std::shared_ptr<executor_core> on, std::source_location from);
  ~carried_task() override;

  /// Posts the next part, which resumes `next`.
  void go_on(std::coroutine_handle<> next) noexcept;
  void cancel_here(cancel_reason reason) noexcept;
  /// The one that it waits for, with a reference; null while it runs.
  future_core* awaited() noexcept;
  std::shared_ptr<const error_origin> failed_here(const std::exception_ptr& error) const noexcept {
    return submission_.failed_here(error);
  }

  virtual bool is_done() const noexcept = 0;
  /// The outermost coroutine has ended, in its context.
  virtual void keep_outcome() noexcept = 0;
  /// The executor does not run it any more: ends the coroutines, in their context.
  virtual void drop() noexcept = 0;
  /// The context was left. May end this.
  virtual void ended() noexcept = 0;

 private:
  class part;
  void run_part() noexcept;
  void end_part(bool ran) noexcept;
  void source_ready() noexcept final;
  void end_scope() noexcept;
  void enter(task_block& carrier) noexcept;
  void leave(task_block& carrier) noexcept;

  submission submission_;
  std::optional<cancel_scope> scope_;  // made and ended while it is the running task
  bool is_over_ = false;               // of the part that runs
  spin_lock carrier_lock_;
  task_block* carrier_ = nullptr;
  bool permit_ = false;
  spin_lock stop_lock_;
  cancel_scope* open_scope_ = nullptr;      // guarded by stop_lock_
  future_core* awaited_ = nullptr;          // guarded by stop_lock_; of the suspended coroutine
  std::optional<cancel_reason> cancelled_;  // guarded by stop_lock_
};

/// Is a task there a fiber, which may wait and does not hold its thread? Then one runs all of a started task.
bool runs_in_one(const executor_core& on) noexcept;

template <typename Value>
class started_task final : public future_state<Value>, private carried_task {
 public:
  started_task(task<Value> what, std::shared_ptr<executor_core> on, std::source_location from)
      : carried_task(std::move(on), from), what_(std::move(what)) {
    what_->handle().promise().driver_ = this;
  }
  void begin() noexcept { go_on(what_->handle()); }

 private:
  bool is_done() const noexcept override { return what_->handle().done(); }
  void keep_outcome() noexcept override {
    auto outcome = what_->handle().promise().take();
    if (!outcome.has_value()) this->origin_ = failed_here(outcome.error());
    this->keep(std::move(outcome));
    what_.reset();
  }
  void drop() noexcept override {
    what_.reset();
    this->keep(make_dropped());
  }
  void ended() noexcept override {
    this->publish();
    this->release();
  }
  future_core* cancel_step(cancel_reason reason) noexcept override {
    cancel_here(reason);
    return awaited();
  }

  std::optional<task<Value>> what_;
};

}  // namespace detail

/// Runs `what` here: the calling fiber, or thread, waits for what it awaits. Gives its value or throws.
template <typename Value>
Value await(task<Value> what) {
  detail::waiting_driver driver;
  what.handle().promise().driver_ = &driver;
  driver.run(what.handle());
  return what.handle().promise().take().value();
}

/// Runs `what` on `where`, in the caller's context, and gives its outcome. While it awaits, no thread waits.
/// Cancelling the future cancels what it awaits, and its waits.
template <std::derived_from<executor> Executor, typename Value>
future<Value> start(const Executor& where, task<Value> what,
                    std::source_location from = std::source_location::current()) {
  if (detail::runs_in_one(*where.core())) {
    return where.submit([held = std::move(what)]() mutable -> Value { return await(std::move(held)); }, from);
  }
  auto* const made = new detail::started_task<Value>(std::move(what), where.core(), from);
  auto outcome = detail::future_access::make(static_cast<detail::future_state<Value>*>(made));
  made->begin();
  return outcome;
}
/// The same on the current executor.
template <typename Value>
future<Value> start(task<Value> what, std::source_location from = std::source_location::current()) {
  return start(current_executor(), std::move(what), from);
}

}  // namespace weft
