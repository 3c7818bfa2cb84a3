#pragma once

#include <chrono>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/context/cancel_state.hpp>
#include <weft/context/context.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/unwinding.hpp>

namespace weft::inline v1 {

/// The deadline in force for the running task, if there is one.
std::optional<steady_time> deadline() noexcept;
/// Time left until the deadline, never negative; nothing without one.
std::optional<steady_clock::duration> remaining() noexcept;

/// Why the running task should give up, if it should: cancelled, or past its deadline.
std::optional<cancel_reason> cancellation_requested() noexcept;
/// A cancellation point that does not wait: throws weft::cancelled if the task should give up.
void checkpoint();

/// A part of a task tree that can be cancelled and bounded: what runs inside the scope, and
/// everything started from there. Cancelling the outer part cancels the inner one, never the reverse.
///
/// Lives on the stack of one task. cancel() may be called from any thread while the scope lives.
class [[nodiscard]] cancel_scope {
 public:
  /// With a deadline, the earlier of `until` and the one already in force holds.
  explicit cancel_scope(steady_time until = no_deadline);
  cancel_scope(const cancel_scope&) = delete;
  cancel_scope& operator=(const cancel_scope&) = delete;
  ~cancel_scope();

  /// Asks everything inside to give up; the first reason holds. Wakes waits; never waits itself.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept;
  /// Was this scope, or one around it, cancelled?
  bool is_cancelled() const noexcept;
  /// Did its own deadline end it: passed, and earlier than that of the scope around it?
  bool deadline_passed() const noexcept;
  /// Takes back what cancel() of this scope did to itself, not to what was started inside; what holds
  /// around it holds again.
  void reset() noexcept;
  /// Would cancelling this scope end the running task's waits?
  bool covers_current() const noexcept;

 private:
  bool bounds_;  // its own deadline is the effective one
  detail::cancel_node* state_;
  context::attachment attached_;
};

namespace detail {
[[noreturn]] void throw_deadline_exceeded(const char* border);
}

/// Runs `work`; what waits inside gives up at `until`, and the border turns that into the error
/// deadline_exceeded. A deadline already in force can only be shortened.
template <typename Work>
auto with_deadline(steady_time until, Work&& work) -> decltype(std::forward<Work>(work)()) {
  cancel_scope scope(until);
  try {
    return std::forward<Work>(work)();
  } catch (const cancelled& stop) {
    if (stop.reason() == cancel_reason::deadline && scope.deadline_passed()) {
      detail::throw_deadline_exceeded("with_deadline");
    }
    throw;
  }
}

/// with_deadline(now + `bound`).
template <typename Rep, typename Period, typename Work>
auto with_timeout(std::chrono::duration<Rep, Period> bound, Work&& work)
    -> decltype(std::forward<Work>(work)()) {
  return with_deadline(deadline_after(bound), std::forward<Work>(work));
}

/// Runs `work`, which returns nothing, for as long as `until`: what waits inside gives up then, and this
/// goes on. True if it was cut short. A deadline already in force that comes first is not its affair.
template <typename Work>
bool move_on_at(steady_time until, Work&& work) {
  static_assert(std::is_void_v<decltype(std::forward<Work>(work)())>, "keep results in a captured variable");
  cancel_scope scope(until);
  try {
    std::forward<Work>(work)();
    return false;
  } catch (const cancelled& stop) {
    if (stop.reason() == cancel_reason::deadline && scope.deadline_passed()) return true;
    throw;
  }
}

/// move_on_at(now + `bound`).
template <typename Rep, typename Period, typename Work>
bool move_on_after(std::chrono::duration<Rep, Period> bound, Work&& work) {
  return move_on_at(deadline_after(bound), std::forward<Work>(work));
}

/// Hides the cancellation and the deadline of the surroundings from `work`; for cleaning up.
/// Give a bound where the other side may not answer.
template <typename Work>
decltype(auto) shield(Work&& work) {
  const context::attachment inside(detail::shielded_current(), std::source_location::current(),
                                   detail::scope_kind::same_work);
  return std::forward<Work>(work)();
}

}  // namespace weft::inline v1
