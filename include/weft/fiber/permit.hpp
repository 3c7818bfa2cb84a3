#pragma once

#include <weft/core/atomic.hpp>

namespace weft::inline v1::detail {

/// The word through which a task parks and is unparked.
///
/// running -> parked (by the task) -> given (by whoever unparks first, who then makes the task ready) ->
/// running (by the task); or running -> given (the next park does not suspend) -> running. Giving twice
/// is giving once. Only the giver who finds the task parked makes it ready, so it is made ready once.
class permit {
 public:
  /// Takes a permit that is there. The task's.
  bool try_take() noexcept {
    if (state_.load(std::memory_order_relaxed) != given) return false;
    take();
    return true;
  }
  /// The task is about to suspend. False: a permit has come, it must not. The task's.
  bool park() noexcept {
    auto expected = running;
    return state_.compare_exchange_strong(expected, parked, std::memory_order_acq_rel);
  }
  /// Takes the permit after park(), whether one has come or not. The task's.
  void take() noexcept { state_.exchange(running, std::memory_order_acquire); }
  /// True: the task was parked, and the caller makes it ready. Any thread.
  bool give() noexcept { return state_.exchange(given, std::memory_order_acq_rel) == parked; }
  /// Any thread; out of date at once.
  bool is_parked() const noexcept { return state_.load(std::memory_order_relaxed) == parked; }

 private:
  enum state : unsigned char { running, parked, given };
  atomic<state> state_{running};
};

}  // namespace weft::inline v1::detail
