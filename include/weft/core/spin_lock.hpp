#pragma once

#include <weft/core/atomic.hpp>
#include <weft/core/safepoint.hpp>

namespace weft::inline v1::detail {

/// Guards a few instructions. Never held across a wait, a callback of the user, or an allocation.
class spin_lock {
 public:
  void lock() noexcept {
    ++safepoints_off;  // another fiber of this thread would spin for ever
    if (locked_.exchange(true, std::memory_order_acquire)) lock_slow();
  }
  void unlock() noexcept {
    locked_.store(false, std::memory_order_release);
    --safepoints_off;
  }
  /// Who held it at a moment that the caller knows of has given it back, and its writes are seen.
  bool is_free() const noexcept { return !locked_.load(std::memory_order_acquire); }

 private:
  void lock_slow() noexcept;
  atomic<bool> locked_{false};
};

}  // namespace weft::inline v1::detail
