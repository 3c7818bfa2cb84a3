#pragma once

#include <chrono>
#include <cstddef>

#include <weft/fiber/mutex.hpp>

namespace weft::inline v1 {

/// A mutex that its owner may lock again; free once it was unlocked as often as locked.
///
/// In all else it is a weft::mutex: order, cancellation, contract, lifetime. For code that cannot know
/// whether its caller holds the lock; where it can, mutex says more clearly what is meant.
class recursive_mutex {
 public:
  constexpr recursive_mutex() noexcept = default;
  recursive_mutex(const recursive_mutex&) = delete;
  recursive_mutex& operator=(const recursive_mutex&) = delete;

  /// Waits until it is the caller's; at once if it is already. No cancellation point.
  void lock() {
    if (!deepen()) inner_.lock();
  }
  /// Never waits. False when somebody else has it.
  bool try_lock() noexcept { return deepen() || inner_.try_lock(); }
  /// Takes back one lock().
  void unlock() noexcept {
    if (inner_.owned_by_caller() && depth_ > 0) {
      --depth_;
    } else {
      inner_.unlock();
    }
  }

  /// Waits at most `bound`; false when that passed first. A cancellation point, unless the caller has it.
  template <typename Rep, typename Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> bound) {
    return deepen() || inner_.try_lock_for(bound);
  }
  /// Waits until a point of any clock; false when that passed first. A cancellation point, unless the
  /// caller has it.
  template <typename Clock, typename Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> until) {
    return deepen() || inner_.try_lock_until(until);
  }

  /// Has the calling task locked it? For assertions.
  bool owned_by_caller() const noexcept { return inner_.owned_by_caller(); }
  /// How many tasks wait for it now.
  std::size_t waiting() const noexcept { return inner_.waiting(); }

 private:
  bool deepen() noexcept {
    if (!inner_.owned_by_caller()) return false;
    ++depth_;
    return true;
  }

  mutex inner_;
  std::size_t depth_ = 0;  // guarded by inner_; locks beyond the first
};

}  // namespace weft::inline v1
