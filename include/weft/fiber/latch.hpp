#pragma once

#include <chrono>
#include <cstddef>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// Opens once, after a number of arrivals that is known beforehand, and stays open.
///
/// wait_group counts what is not known beforehand and can be used again; barrier closes again.
///
/// Thread-safety: all members, from any fiber or thread.
/// Cancellation: every wait is a cancellation point, also when it is open; arrivals stay counted.
/// Contract, always checked: no more arrivals than expected. A breach ends the program with a message.
/// Errors: a wait that must park inside a no_wait_scope throws weft::error (misuse).
/// Lifetime: outlives every call; a waiter that was let through may destroy it.
class latch {
 public:
  /// Opens after `expected` arrivals; 0: open from the start.
  constexpr explicit latch(std::size_t expected) noexcept : missing_(expected) {}
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;

  /// `arrivals` more; the last one wakes all that wait. Never waits.
  void count_down(std::size_t arrivals = 1) noexcept;
  /// Is it open?
  bool try_wait() const noexcept;

  /// Waits until it is open.
  void wait() { wait_open(no_deadline); }
  /// False when `bound` passed first.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_open(deadline_after(bound));
  }
  /// False when `until`, a point of any clock, passed first.
  template <typename Clock, typename Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> until) {
    return wait_open(deadline_at(until));
  }
  /// count_down(arrivals), which counts also when the wait is cancelled; then wait().
  void arrive_and_wait(std::size_t arrivals = 1) {
    count_down(arrivals);
    wait();
  }

  /// How many arrivals are missing.
  std::size_t missing() const noexcept;
  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  bool wait_open(steady_time until);

  mutable detail::spin_lock guard_;
  std::size_t missing_;          // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft::inline v1
