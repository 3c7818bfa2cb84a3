#pragma once

#include <atomic>

namespace weft::inline v1::detail {

/// The atomics of weft's own protocols: std::atomic. The tests under tests/interleaving compile the
/// protocols with WEFT_EXPLORE, where every operation is a place at which another thread may go on, and
/// run them through all orders.
#ifdef WEFT_EXPLORE
template <typename Value>
class explored_atomic;  // tests/interleaving/explored_atomic.hpp
template <typename Value>
using atomic = explored_atomic<Value>;
/// In a loop that waits for what another thread writes.
void spin_pause() noexcept;
#else
template <typename Value>
using atomic = std::atomic<Value>;
inline void spin_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}
#endif

}  // namespace weft::inline v1::detail
