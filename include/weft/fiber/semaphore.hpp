#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// A number of permits, which tasks take and give back.
///
/// Those that wait are served in order of arrival: one that wants many is not overtaken by those that want
/// few, and a newcomer overtakes nobody. Any task may release, also one that never acquired.
///
/// Thread-safety: all members, from any fiber or thread.
/// Cancellation: acquire() and its timed forms are cancellation points, also when they need not wait. A
/// cancelled or timed-out wait takes nothing, and a permit that reached a task is not lost: it returns.
/// Contract, always checked: release() keeps the number at most max(). A breach ends the program.
/// Errors: a wait that must park inside a no_wait_scope, and numbers above max(), throw weft::error (misuse).
/// Lifetime: outlives every call; a task that acquired may destroy it.
/// Cost: one atomic operation for acquire() and one for release(), without contention.
class semaphore {
 public:
  /// Starts with `permits`, at most max().
  explicit semaphore(std::size_t permits);
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  static constexpr std::size_t max() noexcept { return std::numeric_limits<std::size_t>::max() >> 1; }

  /// Waits for `permits`, all at once.
  void acquire(std::size_t permits = 1);
  /// Never waits. False when there are too few, or others wait.
  bool try_acquire(std::size_t permits = 1) noexcept;
  /// False when `bound` passed first.
  template <typename Rep, typename Period>
  bool try_acquire_for(std::chrono::duration<Rep, Period> bound, std::size_t permits = 1) {
    return poll_acquire(permits) || wait_permits(permits, deadline_after(bound));
  }
  /// False when `until`, a point of any clock, passed first.
  template <typename Clock, typename Duration>
  bool try_acquire_until(std::chrono::time_point<Clock, Duration> until, std::size_t permits = 1) {
    return poll_acquire(permits) || wait_permits(permits, deadline_at(until));
  }
  /// Gives `permits` to those that wait, or keeps them. Never waits.
  void release(std::size_t permits = 1) noexcept;

  /// Permits that nobody has.
  std::size_t available() const noexcept;
  /// How many tasks wait now.
  std::size_t waiting() const noexcept;

 private:
  bool poll_acquire(std::size_t permits);
  bool wait_permits(std::size_t permits, steady_time until);
  bool announce_wait(std::size_t permits) noexcept;
  bool add_if_nobody_waits(std::size_t permits) noexcept;
  void serve_line() noexcept;

  // The protocol is at the top of semaphore.cpp.
  detail::atomic<std::uint64_t> permits_;
  mutable detail::spin_lock guard_;
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft::inline v1
