#pragma once

#include <chrono>
#include <cstddef>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// Counts pieces of work; wait() returns when all are done. Reusable afterwards.
///
/// A scope does this for fibers, with their errors; latch is for a number known beforehand. Call add()
/// before the piece is handed to whoever calls done(), else wait() may see nothing to wait for.
///
/// Thread-safety: all members, from any fiber or thread. Any number may wait at a time, and add() may be
/// called meanwhile: the wait ends when the count is zero, at some moment.
/// Cancellation: every wait is a cancellation point, also when the count is zero; it leaves nothing behind.
/// Contract, always checked: no more done() than add(). A breach ends the program with a message.
/// Errors: a wait that must park inside a no_wait_scope throws weft::error (misuse).
/// Lifetime: outlives every call; a waiter that was let through may destroy it.
class wait_group {
 public:
  constexpr explicit wait_group(std::size_t count = 0) noexcept : count_(count) {}
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  /// `count` more pieces. Never waits.
  void add(std::size_t count = 1) noexcept;
  /// One piece is done; the last wakes all that wait. Never waits.
  void done() noexcept;

  /// Waits for the count to reach zero.
  void wait() { wait_done(no_deadline); }
  /// False when `bound` passed first.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_done(deadline_after(bound));
  }
  /// False when `until`, a point of any clock, passed first.
  template <typename Clock, typename Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> until) {
    return wait_done(deadline_at(until));
  }

  /// Pieces that are not done.
  std::size_t count() const noexcept;
  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  bool wait_done(steady_time until);

  mutable detail::spin_lock guard_;
  std::size_t count_;            // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft::inline v1
