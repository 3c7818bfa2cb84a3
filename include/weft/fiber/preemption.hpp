#pragma once

#include <weft/core/safepoint.hpp>
#include <weft/core/task_block.hpp>

namespace weft::inline v1 {

/// Gives up the fiber's turn if it has had the thread for 10 ms or more, else costs one load.
///
/// For long computations. Looked at every 5 ms, by a thread that the first call in a run starts and that
/// sleeps while all loops do. Not a cancellation point; never throws. Does nothing on a plain thread, in a
/// no_wait_scope, in a static initialiser and while an exception is in flight.
///
/// A target that was given to the CMake function weft_preemptible() does this at every basic block, so that
/// an endless loop in it lets other fibers run. There it also does nothing in a preemption_off
/// scope, and in fibers made with go_options::preemptible = false. What the other fibers write is seen
/// only through atomics, as with threads; and code that holds a std::mutex must be in a no_wait_scope:
/// another fiber of the thread that locks it would wait for ever.
inline void yield_if_due() noexcept {
  if (detail::turn_due.load(std::memory_order_relaxed)) [[unlikely]]
    detail::safepoint_due(true);
}

/// While it lives, the fiber is not preempted by compiler-inserted safepoints; it may wait. On the
/// stack of one task.
class [[nodiscard]] preemption_off {
 public:
  preemption_off() noexcept : task_(detail::task_block::current()) { ++task_.preemption_off; }
  preemption_off(const preemption_off&) = delete;
  preemption_off& operator=(const preemption_off&) = delete;
  ~preemption_off() { --task_.preemption_off; }

 private:
  detail::task_block& task_;
};

}  // namespace weft::inline v1
