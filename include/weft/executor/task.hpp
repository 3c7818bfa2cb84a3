#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <utility>

#include <weft/executor/carried_task.hpp>
#include <weft/executor/coroutine_driver.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/future.hpp>

namespace weft::inline v1 {

namespace detail {
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
/// Inside, `co_await` takes futures, other tasks, and waiting(f) for whatever else waits. await(task) runs it
/// on the calling fiber or thread, where it may also call what waits; start(task) runs it on an executor,
/// whose threads it leaves while it awaits. Its context is its own: scopes in it survive each co_await,
/// wherever it goes on. A task that is dropped before its end ends with what it holds.
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

/// A task that was started, and its outcome.
template <typename Value>
class started_task final : public future_state<Value>, private carried_task {
 public:
  started_task(task<Value> what, std::shared_ptr<executor_core> on, std::source_location from)
      : carried_task(std::move(on), from), what_(std::move(what)) {
    what_->handle().promise().driver_ = this;
  }
  /// False: the executor refused it, and the outcome says why.
  bool begin() noexcept { return carried_task::begin(what_->handle()); }

 private:
  future_core& outcome() noexcept override { return *this; }
  bool is_done() const noexcept override { return what_->handle().done(); }
  void keep_outcome() noexcept override {
    auto outcome = what_->handle().promise().take();
    if (!outcome.has_value()) this->origin_ = failed_here(outcome.error());
    this->keep(std::move(outcome));
    what_.reset();
  }
  void drop(std::exception_ptr why) noexcept override {
    what_.reset();
    this->origin_ = failed_here(why);
    this->keep(std::move(why));
  }
  void ended() noexcept override {
    this->publish();
    this->release();
  }
  future_core* cancel_step(cancel_reason reason) noexcept override { return stop(reason); }
  void refuse_wait_for_itself(const char* what) override { refuse_wait_by_itself(what); }
  future_core* source() noexcept override { return awaited(); }

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
/// Cancelling the future, or the caller's context, cancels what it awaits, and its waits. Where the executor
/// refuses it later, because it is full or over, the task ends there and that is its outcome. Throws as the
/// executor's post says.
template <std::derived_from<executor> Executor, typename Value>
future<Value> start(const Executor& where, task<Value> what,
                    std::source_location from = std::source_location::current()) {
  if (detail::runs_in_one(*where.core())) {
    return where.submit([held = std::move(what)]() mutable -> Value { return await(std::move(held)); }, from);
  }
  auto* const made = new detail::started_task<Value>(std::move(what), where.core(), from);
  auto outcome = detail::future_access::make(static_cast<detail::future_state<Value>*>(made));
  if (!made->begin()) static_cast<void>(outcome.get());  // throws why
  return outcome;
}
/// The same on the current executor.
template <typename Value>
future<Value> start(task<Value> what, std::source_location from = std::source_location::current()) {
  return start(current_executor(), std::move(what), from);
}

}  // namespace weft::inline v1
