#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// Mutual exclusion between tasks: fibers of all threads, and plain threads. May be held across a wait.
///
/// Works with std::lock_guard, std::unique_lock (also timed), std::scoped_lock and std::lock. Tasks
/// that wait are served in order of arrival. Within a thread unlock() hands it to the one that waits
/// longest. Where that one is on another thread, tasks that run may take it while its wake is on the way,
/// at most 128 times; so nobody starves, and a busy thread does not hold up all others.
///
/// Choose shared_mutex when most only read, a channel when values move, and std::mutex when it is never
/// held across a wait and only plain threads need it.
///
/// Cancellation: lock() is no cancellation point, so that destructors may lock. try_lock_for and
/// try_lock_until are, and throw weft::cancelled without the mutex.
/// Contract, always checked: only the task that locked it unlocks it, and it does not lock() it again.
/// A breach ends the program with a message that names both tasks. (A timed form by the owner times out.)
/// Errors: a wait inside a no_wait_scope throws weft::error (misuse); the mutex is as before.
/// Lifetime: outlives every call; may be destroyed as soon as nobody holds it or waits for it.
/// Cost: 96 bytes; an atomic operation each for lock() and unlock() without contention.
class mutex {
 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  /// Waits until it is the caller's.
  void lock();
  /// Never waits. False when somebody has it, the caller included.
  bool try_lock() noexcept;
  /// Hands the mutex to the task that waits longest.
  void unlock() noexcept;

  /// Waits at most `bound`; false when that passed first. A cancellation point.
  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> bound) {
    return poll_lock() || lock_until(deadline_after(bound));
  }
  /// Waits until a point of any clock; false when that passed first. A cancellation point.
  template <typename Clock, typename Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> until) {
    return poll_lock() || lock_until(deadline_at(until));
  }

  /// Has the calling task locked it? For assertions.
  bool owned_by_caller() const noexcept;
  /// How many tasks wait for it now.
  std::size_t waiting() const noexcept;

 private:
  using word = std::uint64_t;
  using guard_lock = std::unique_lock<detail::spin_lock>;
  struct wait_terms;

  bool poll_lock();
  bool lock_until(steady_time until);
  bool lock_slowly(detail::task_block& me, const wait_terms& terms);
  bool wait_in_line(detail::task_block& me, const wait_terms& terms);
  bool accept_offer(detail::task_block& me, guard_lock& guard, const wait_terms& terms,
                    detail::wait_outcome& outcome);
  void unlock_slowly(detail::task_block& me) noexcept;
  bool pass_on() noexcept;

  bool take(detail::task_block& me, word free) noexcept;
  bool take_offered(detail::task_block& me) noexcept;
  bool spin_until_free(detail::task_block& me) noexcept;
  void watch_until_free() const noexcept;
  bool announce_wait(detail::task_block& me) noexcept;
  void forget_waiting() noexcept;
  void hand_to_front(detail::waiter_line& line) noexcept;
  void note_holder(const detail::task_block& holder, const void* thread) noexcept;
  bool somebody_waits() const noexcept;

  // The protocol is at the top of mutex.cpp.
  detail::atomic<word> owner_{0};
  std::atomic<const detail::task_block*> holder_{nullptr};
  std::atomic<const void*> holder_thread_{nullptr};
  mutable detail::spin_lock guard_;
  int overtakes_ = 0;                            // guarded by guard_; since the offer
  const detail::task_block* offered_ = nullptr;  // guarded by guard_
  detail::waiter_line first_;                    // guarded by guard_; at most one task
  detail::waiter_line waiters_;                  // guarded by guard_
};

}  // namespace weft::inline v1
