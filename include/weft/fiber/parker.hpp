#pragma once

#include <chrono>

#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/outside_work.hpp>

namespace weft::inline v1 {

namespace detail {
class parker_case;
}

/// Where one task parks until another one unparks it: the smallest part of a primitive of your own.
///
/// unpark() leaves a permit, park() takes it, waiting for it if there is none; a second unpark()
/// before that adds nothing. So a loop "while (not my condition) park()" misses no wake-up, whichever
/// comes first. Wakes are never early without a permit.
///
/// Thread-safety: unpark() from any thread; park() from one task at a time, a fiber or a plain thread.
/// Lifetime: outlives every call; unpark() does not touch it after the parked task has gone on.
/// Cancellation: park is a cancellation point; cancelled, the permit stays where it is.
class parker {
 public:
  parker() = default;
  parker(const parker&) = delete;
  parker& operator=(const parker&) = delete;

  /// Waits for a permit and takes it. Throws weft::error (busy) if another task is parked here.
  void park() { park_until(no_deadline); }
  /// False when the bound passed first.
  bool park_until(steady_time until);
  template <typename Rep, typename Period>
  bool park_for(std::chrono::duration<Rep, Period> bound) {
    return park_until(deadline_after(bound));
  }
  /// Leaves a permit and wakes the parked task. Never waits.
  void unpark() noexcept;

 private:
  friend class detail::parker_case;

  detail::spin_lock lock_;
  detail::atomic<bool> permit_{false};  // written under lock_; without it, what is read is a guess
  detail::waiter_line waiters_;         // guarded by lock_; at most one
};

/// A parker for a thread that weft does not know of: a library's callback thread, a signal-like source.
///
/// While it lives, a run in which all fibers wait is no deadlock, because this may yet wake one. Make it
/// before the other thread can call wake(), and let it end when no wake can come any more. All the
/// rest is as with parker; the fiber's side is wait().
class external_waker {
 public:
  /// Waits for wake(), or takes one that came before. A cancellation point.
  void wait() { parked_.park(); }
  bool wait_until(steady_time until) { return parked_.park_until(until); }
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) {
    return parked_.park_for(bound);
  }
  /// Any thread, also one that is not weft's. Never waits.
  void wake() noexcept { parked_.unpark(); }

 private:
  friend class detail::parker_case;

  detail::outside_work counted_;
  parker parked_;
};

}  // namespace weft::inline v1
