#pragma once

#include <chrono>
#include <cstddef>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

namespace detail {
class event_case;
}

/// A flag that tasks wait for; stays set until reset.
///
/// For "it has happened": all waiters go on, and so do those that come later. There is no form that
/// resets itself and lets one through: that is a semaphore of no permits.
///
/// Thread-safety: all members, from any fiber or thread. A task that was waiting when set() was called goes
/// on, also when a reset() follows at once.
/// Cancellation: every wait is a cancellation point, also when it need not wait; it leaves nothing behind.
/// Errors: a wait that must park inside a no_wait_scope throws weft::error (misuse).
/// Lifetime: outlives every call; a waiter that was let through may destroy it.
class event {
 public:
  constexpr event() noexcept = default;
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  /// Sets the flag and wakes all that wait. Never waits.
  void set() noexcept;
  void reset() noexcept;
  bool is_set() const noexcept;

  /// Waits until it is set.
  void wait() { wait_set(no_deadline); }
  /// False when `bound` passed first.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_set(deadline_after(bound));
  }
  /// False when `until`, a point of any clock, passed first.
  template <typename Clock, typename Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> until) {
    return wait_set(deadline_at(until));
  }

  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  friend class detail::event_case;
  bool wait_set(steady_time until);
  bool seems_set() const noexcept { return set_.load(std::memory_order_relaxed); }

  mutable detail::spin_lock guard_;
  detail::atomic<bool> set_{false};  // written under guard_; without it, what is read is a guess
  detail::waiter_line waiters_;      // guarded by guard_
};

}  // namespace weft::inline v1
