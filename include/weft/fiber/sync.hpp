#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>

// Locks and signals between tasks: fibers and plain threads alike. Each serves in arrival order, and
// outlives every task that waits on it.

namespace weft {

/// Mutual exclusion between tasks; may be held across a wait. Works with std::lock_guard and friends.
/// lock() is no cancellation point, so destructors may lock; not recursive.
class mutex {
 public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock();
  bool try_lock() noexcept;
  /// Hands the mutex to the task that waits longest.
  void unlock() noexcept;
  /// Waits at most `bound`; a cancellation point.
  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> bound) {
    return lock_until(deadline_after(bound));
  }

 private:
  bool lock_until(steady_time until);
  detail::spin_lock guard_;
  bool locked_ = false;          // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

/// Waits for a change of state that a mutex guards.
class condition {
 public:
  /// Releases `lock`, waits for a notify, and has it again, also when it throws weft::cancelled.
  void wait(std::unique_lock<mutex>& lock);
  template <typename Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate holds) {
    while (!holds()) wait(lock);
  }
  /// False when `until` passed first.
  bool wait_until(std::unique_lock<mutex>& lock, steady_time until);
  template <typename Rep, typename Period, typename Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, std::chrono::duration<Rep, Period> bound, Predicate holds) {
    const steady_time until = deadline_after(bound);
    while (!holds()) {
      if (!wait_until(lock, until)) return holds();
    }
    return true;
  }
  void notify_one() noexcept;
  void notify_all() noexcept;

 private:
  detail::spin_lock guard_;
  detail::waiter_line waiters_;  // guarded by guard_
};

/// A number of permits.
class semaphore {
 public:
  explicit semaphore(std::size_t permits) noexcept : permits_(permits) {}
  /// Waits for a permit; a cancellation point.
  void acquire();
  bool try_acquire() noexcept;
  template <typename Rep, typename Period>
  bool try_acquire_for(std::chrono::duration<Rep, Period> bound) {
    return acquire_until(deadline_after(bound));
  }
  void release(std::size_t permits = 1) noexcept;

 private:
  bool acquire_until(steady_time until);
  detail::spin_lock guard_;
  std::size_t permits_;          // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

/// A flag that tasks wait for; stays set until reset.
class event {
 public:
  void set() noexcept;
  void reset() noexcept;
  bool is_set() const noexcept;
  /// Waits until it is set; a cancellation point.
  void wait() { wait_until(no_deadline); }
  /// False when the bound passed first.
  bool wait_until(steady_time until);
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }

 private:
  mutable detail::spin_lock guard_;
  bool set_ = false;             // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

/// Counts pieces of work; wait() returns when all are done. Reusable afterwards.
class wait_group {
 public:
  void add(std::size_t count = 1) noexcept;
  /// One piece is done. More done() than add() is a contract violation: it ends the program.
  void done() noexcept;
  /// Waits for the count to reach zero; a cancellation point.
  void wait() { wait_until(no_deadline); }
  bool wait_until(steady_time until);
  std::size_t count() const noexcept;

 private:
  mutable detail::spin_lock guard_;
  std::size_t count_ = 0;        // guarded by guard_
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft
