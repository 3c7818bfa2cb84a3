#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/mutex.hpp>

namespace weft::inline v1 {

/// Waits for a change of state that a weft::mutex guards.
///
/// A notify wakes tasks that waited before it, in order of arrival, and is forgotten if there are none.
/// There are no wakes without a notify. All who wait at one time use the same mutex. A channel or an
/// event is often simpler.
///
/// Thread-safety: any task and thread; notify needs no lock held.
/// Cancellation: every wait is a cancellation point, also when its predicate holds already; before it
/// throws weft::cancelled, or returns, it has the mutex again, for which it waits whatever cancels it.
/// A notify that has reached a task is not lost to a cancellation: the wait returns, and the next throws.
/// Errors: a lock that does not own its mutex, and a no_wait_scope, give weft::error (misuse).
/// Lifetime: outlives every call, those of tasks that were notified and have not gone on included.
class condition {
 public:
  constexpr condition() noexcept = default;
  condition(const condition&) = delete;
  condition& operator=(const condition&) = delete;

  /// Releases `lock`, waits for a notify, and has it again.
  void wait(std::unique_lock<mutex>& lock) { wait_until(lock, no_deadline); }
  /// Waits until `holds()`, which is called with the lock held.
  template <typename Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate holds) {
    wait_until(lock, no_deadline, std::move(holds));
  }

  /// False when `until`, a point of any clock, passed first.
  template <typename Clock, typename Duration>
  bool wait_until(std::unique_lock<mutex>& lock, std::chrono::time_point<Clock, Duration> until) {
    return wait_notified(lock, deadline_at(until));
  }
  /// Gives `holds()` as it is when it became true or the bound passed.
  template <typename Clock, typename Duration, typename Predicate>
  bool wait_until(std::unique_lock<mutex>& lock, std::chrono::time_point<Clock, Duration> until,
                  Predicate holds) {
    const steady_time bound = deadline_at(until);
    detail::check_cancelled("condition::wait");
    while (!holds()) {
      if (!wait_notified(lock, bound)) return holds();
    }
    return true;
  }

  /// False when `bound` passed first.
  template <typename Rep, typename Period>
  bool wait_for(std::unique_lock<mutex>& lock, std::chrono::duration<Rep, Period> bound) {
    return wait_notified(lock, deadline_after(bound));
  }
  /// Gives `holds()` as it is when it became true or the bound passed.
  template <typename Rep, typename Period, typename Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, std::chrono::duration<Rep, Period> bound, Predicate holds) {
    return wait_until(lock, deadline_after(bound), std::move(holds));
  }

  /// Wakes the task that waits longest, if any.
  void notify_one() noexcept;
  /// Wakes all that wait now.
  void notify_all() noexcept;
  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  bool wait_notified(std::unique_lock<mutex>& lock, steady_time until);

  mutable detail::spin_lock guard_;
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft::inline v1
