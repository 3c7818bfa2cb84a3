#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/result.hpp>
#include <weft/core/thread_mutex.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/blocking_options.hpp>
#include <weft/executor/future.hpp>

namespace weft::inline v1 {

namespace detail {
/// Runs `work` on a thread of the elastic pool, in the caller's context. Never waits.
void post_blocking(unique_function<void()> work);

/// Waits for the outcome whatever cancels the caller.
template <typename Value>
Value get_unbroken(future<Value>& from) {
  return shield([&from]() -> Value { return from.get(); });
}

/// Calls `work`, and ends it and what it holds before it returns.
template <typename Work>
auto invoke_and_end(Work& work) -> std::invoke_result_t<Work&> {
  Work ended_here = std::move(work);
  return std::invoke(ended_here);
}

/// What the caller of blocking_until and the thread that runs its work share.
class abandonable_call {
 public:
  /// On the thread: abandon() cancels `scope` until end(). False: it was abandoned, the work must not begin.
  bool begin(cancel_scope& scope);
  void end();
  /// Nobody wants the outcome any more: work that runs is cancelled, work that waits will not begin.
  void abandon(cancel_reason reason = cancel_reason::requested) noexcept;

  /// Runs `work` between begin() and end() and ends it; then hands its outcome on, unless it was abandoned
  /// before.
  template <typename Value, typename Work>
  void run(Work& work, promise<Value>& outcome) {
    cancel_scope scope;
    if (!begin(scope)) return;
    auto done = result<Value>::of([&work]() -> Value { return invoke_and_end(work); });
    end();
    outcome.set(std::move(done));
  }

 private:
  thread_mutex mutex_;
  cancel_scope* scope_ = nullptr;  // guarded by mutex_
  bool abandoned_ = false;         // guarded by mutex_; only goes to true
};

/// Abandons the call at the end of a block that does not keep it.
class abandoning {
 public:
  explicit abandoning(abandonable_call& call) noexcept : call_(&call) {}
  abandoning(const abandoning&) = delete;
  abandoning& operator=(const abandoning&) = delete;
  ~abandoning() {
    if (call_ != nullptr) call_->abandon();
  }
  void keep() noexcept { call_ = nullptr; }

 private:
  abandonable_call* call_;
};
}  // namespace detail

/// Runs a function that may block on a thread of its own, and waits for its result: the fiber waits,
/// its thread goes on. The threads come and go as blocking_options says.
///
/// The wait cannot be cut short: the function may refer to the caller's frame. A cancelled caller
/// sees it at its next wait; the function sees it at once, through weft::checkpoint(). Where the caller must
/// get away in time, use blocking_until. Throws weft::error: resource_exhausted at queue_max.
template <typename Work>
auto blocking(Work&& work) -> std::invoke_result_t<Work&> {
  using value = std::invoke_result_t<Work&>;
  detail::require_wait_allowed("blocking");  // not after the work has started: it refers to this frame
  promise<value> outcome;
  auto waiting = outcome.get_future();
  detail::post_blocking([&work, outcome = std::move(outcome)]() mutable {
    outcome.set(result<value>::of([&work]() -> value { return std::invoke(work); }));
  });
  return detail::get_unbroken(waiting);
}

/// As blocking, but the wait ends at `until` (no_deadline: never), and when the caller is cancelled: then it
/// gives timed_out, or throws weft::cancelled, and the work is abandoned. Abandoned work that has not begun
/// will not; work that runs is cancelled, sees that at weft::checkpoint() or a wait, and goes on until it
/// ends; its result is dropped, an error goes to the log as critical.
///
/// So `work` is kept, and must own what it needs, or share it: it may outlive the caller's frame. It and what
/// it holds end on the pool's thread, before the caller gets its result.
template <typename Work>
auto blocking_until(steady_time until, Work&& work) -> waited<std::invoke_result_t<std::decay_t<Work>&>> {
  using value = std::invoke_result_t<std::decay_t<Work>&>;
  detail::require_wait_allowed("blocking_until");
  detail::check_cancelled("blocking_until");
  const auto call = std::make_shared<detail::abandonable_call>();
  promise<value> outcome;
  auto waiting = outcome.get_future();
  detail::post_blocking(
      [call, outcome = std::move(outcome), held = std::decay_t<Work>(std::forward<Work>(work))]() mutable {
        call->run(held, outcome);
      });
  detail::abandoning unless_kept(*call);
  if (!waiting.wait_until(until)) return waited<value>::timed_out();
  unless_kept.keep();
  if constexpr (std::is_void_v<value>) {
    waiting.get();
    return waited<value>(std::monostate());
  } else {
    return waited<value>(waiting.get());
  }
}

/// blocking_until(now + `bound`).
template <typename Rep, typename Period, typename Work>
auto blocking_for(std::chrono::duration<Rep, Period> bound, Work&& work) {
  return blocking_until(deadline_after(bound), std::forward<Work>(work));
}

/// Starts `work` on the pool behind blocking, in the caller's context, and gives its future; never waits. It
/// must own what it needs. Cancelling the future leaves out work that has not begun; work that runs sees it
/// at weft::checkpoint() or a wait. Throws weft::error: resource_exhausted at queue_max.
template <typename Work>
auto start_blocking(Work&& work) -> future<std::invoke_result_t<std::decay_t<Work>&>> {
  using value = std::invoke_result_t<std::decay_t<Work>&>;
  const auto call = std::make_shared<detail::abandonable_call>();
  promise<value> outcome;
  auto started = outcome.get_future();
  outcome.on_cancel([call](cancel_reason why) { call->abandon(why); });
  detail::post_blocking(
      [call, outcome = std::move(outcome), held = std::decay_t<Work>(std::forward<Work>(work))]() mutable {
        call->run(held, outcome);
        // Where it was abandoned before it began.
        outcome.try_set_stopped(outcome.cancelled_for().value_or(cancel_reason::requested));
      });
  return started;
}

}  // namespace weft::inline v1
