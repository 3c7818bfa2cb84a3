#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// One writer, or any number of readers: fibers of all threads, and plain threads.
///
/// Works with std::shared_lock, std::unique_lock (also timed), std::lock_guard and std::scoped_lock. Fair:
/// tasks that wait are served in order of arrival, readers that are next to each other in line together;
/// a newcomer overtakes nobody, so readers that keep coming do not starve a writer. Worth its price
/// over mutex when readers hold it long or across waits.
///
/// Cancellation: lock() and lock_shared() are no cancellation points, so that destructors may lock. The
/// timed forms are, and throw weft::cancelled without the mutex.
/// Contract: only the task that locked it exclusively unlocks it, and does not lock it again in either way
/// without a bound; unlock_shared() follows a lock_shared(). Always checked; a breach ends the program with a
/// message that names the tasks. Readers are counted, not known: a reader that locks again, in either way,
/// may wait for itself, as with std::shared_mutex. Errors: a wait inside a no_wait_scope throws weft::error
/// (misuse); the mutex is as before. Lifetime: outlives every call; may be destroyed as soon as nobody holds
/// it or waits for it. Cost: one atomic operation for each call without contention; readers of several
/// threads share the word.
class shared_mutex {
 public:
  constexpr shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;

  /// Waits until it is the caller's alone.
  void lock();
  /// Never waits. False when somebody has it in either way.
  bool try_lock() noexcept;
  /// Hands it to the writer, or the readers, that wait longest.
  void unlock() noexcept;

  /// Waits until no writer has it and nobody who came earlier waits.
  void lock_shared();
  /// Never waits. False when a writer has it or somebody waits.
  bool try_lock_shared() noexcept;
  /// The last reader hands it to the task that waits longest.
  void unlock_shared() noexcept;

  /// Waits at most `bound`; false when that passed first. A cancellation point.
  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> bound) {
    return poll(access::exclusive) || lock_until(access::exclusive, deadline_after(bound));
  }
  /// Waits until a point of any clock; false when that passed first. A cancellation point.
  template <typename Clock, typename Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> until) {
    return poll(access::exclusive) || lock_until(access::exclusive, deadline_at(until));
  }
  /// Waits at most `bound`; false when that passed first. A cancellation point.
  template <typename Rep, typename Period>
  bool try_lock_shared_for(std::chrono::duration<Rep, Period> bound) {
    return poll(access::shared) || lock_until(access::shared, deadline_after(bound));
  }
  /// Waits until a point of any clock; false when that passed first. A cancellation point.
  template <typename Clock, typename Duration>
  bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> until) {
    return poll(access::shared) || lock_until(access::shared, deadline_at(until));
  }

  /// Has the calling task locked it exclusively? For assertions.
  bool owned_by_caller() const noexcept;
  /// How many readers have it now.
  std::size_t readers() const noexcept;
  /// How many tasks wait for it now.
  std::size_t waiting() const noexcept;

 private:
  using word = std::uint64_t;
  enum class access : unsigned char { exclusive, shared };
  struct wait_terms;

  bool take(access how) noexcept;
  bool poll(access how);
  bool lock_until(access how, steady_time until);
  bool wait_admitted(access how, const wait_terms& terms);
  bool announce_wait(access how) noexcept;
  void unlock_slowly(detail::task_block& me) noexcept;
  bool last_reader_leaves() noexcept;
  void admit() noexcept;

  // The protocol is at the top of shared_mutex.cpp.
  detail::atomic<word> state_{0};
  std::atomic<const detail::task_block*> holder_{nullptr};
  mutable detail::spin_lock guard_;
  detail::waiter_line waiters_;  // guarded by guard_
};

}  // namespace weft::inline v1
