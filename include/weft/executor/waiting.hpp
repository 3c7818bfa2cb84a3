#pragma once

#include <concepts>
#include <coroutine>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/executor/blocking.hpp>
#include <weft/executor/task.hpp>

namespace weft::inline v1 {

namespace detail {

template <typename Work>
class waiting_awaiter {
 public:
  using value_type = std::invoke_result_t<Work&>;

  explicit waiting_awaiter(Work work) : work_(std::move(work)) {}
  waiting_awaiter(const waiting_awaiter&) = delete;
  waiting_awaiter& operator=(const waiting_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<task_promise_base> Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    if (waiting.promise().driver_->may_wait()) return false;
    // The coroutine goes on, and this ends, only when the work has ended.
    auto started = start_blocking([this]() -> value_type { return std::invoke(work_); });
    elsewhere_.emplace(future_access::take(started, "weft::waiting"));
    elsewhere_->await_suspend(waiting);
    return true;
  }
  value_type await_resume() {
    if (elsewhere_) return elsewhere_->await_resume();
    return std::invoke(work_);
  }

 private:
  Work work_;
  std::optional<future_awaiter<value_type>> elsewhere_;
};

template <typename Work>
class waiting_call {
 public:
  explicit waiting_call(Work work) : work_(std::move(work)) {}
  waiting_awaiter<Work> operator co_await() && { return waiting_awaiter<Work>(std::move(work_)); }

 private:
  Work work_;
};

}  // namespace detail

/// For co_await in a weft::task: calls `work`, which may wait for anything, and gives its value or error. In
/// a task that runs where it may wait, as on a fiber, it is called at once, there; else on the pool behind
/// blocking, so that no thread of the executor waits. In the context of the co_await, and cancelled with it:
/// its waits end, and the task goes on when it has ended.
///
///     auto next = co_await weft::waiting([&] { return requests.pop(); });
///
/// Throws also weft::error: resource_exhausted at queue_max of blocking.
template <typename Work>
detail::waiting_call<std::decay_t<Work>> waiting(Work&& work) {
  return detail::waiting_call<std::decay_t<Work>>(std::forward<Work>(work));
}

}  // namespace weft::inline v1
