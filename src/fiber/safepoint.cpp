// The library weft::preemption, linked by targets that were given to weft_preemptible(): their compiler calls
// the first function at every basic block. Not compiled with safepoints itself.
//
// A static initialiser must not be left by a switch: another fiber of the thread that comes to it would wait
// for ever, or the runtime would report recursion. The linker leads the three calls around one, in everything
// that is linked statically, through here (--wrap).
#include <weft/core/safepoint.hpp>

#include <cxxabi.h>

// The names are the compiler's and the linker's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void __sanitizer_cov_trace_pc() {
  if (weft::detail::turn_due.load(std::memory_order_relaxed)) [[unlikely]]
    weft::detail::safepoint_due(false);
}

int __real___cxa_guard_acquire(abi::__guard* guard);
void __real___cxa_guard_release(abi::__guard* guard) noexcept;
void __real___cxa_guard_abort(abi::__guard* guard) noexcept;

int __wrap___cxa_guard_acquire(abi::__guard* guard) {
  const int ours = __real___cxa_guard_acquire(guard);
  if (ours != 0) ++weft::detail::safepoints_off;
  return ours;
}

void __wrap___cxa_guard_release(abi::__guard* guard) noexcept {
  __real___cxa_guard_release(guard);
  --weft::detail::safepoints_off;
}

void __wrap___cxa_guard_abort(abi::__guard* guard) noexcept {
  __real___cxa_guard_abort(guard);
  --weft::detail::safepoints_off;
}
}
// NOLINTEND(readability-identifier-naming)
