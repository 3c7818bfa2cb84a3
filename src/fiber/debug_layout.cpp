#include "fiber/debug_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "fiber/scheduler.hpp"

// Where a debugger finds the fibers, with the program's symbols alone. Whoever changes what the table says
// changes its version as well, and tools/gdb/weft.py.

// The types are not of standard layout, but without virtual bases: both compilers know the offsets.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace weft::inline v1::detail {

struct debug_layout {
  std::uint64_t version;
  std::uint64_t loop_next, loop_alive, loop_running, loop_thread_id;
  std::uint64_t fiber_next, fiber_id, fiber_parent_id, fiber_name, fiber_made_at;
  std::uint64_t fiber_waits_for, fiber_started, fiber_home, fiber_stack;
  std::uint64_t stack_sp;

  static constexpr debug_layout here() noexcept {
    return {1,
            offsetof(scheduler, next_shown_),
            offsetof(scheduler, alive_),
            offsetof(scheduler, running_),
            offsetof(scheduler, thread_id_),
            offsetof(fiber_block, next_alive_),
            offsetof(fiber_block, id_),
            offsetof(fiber_block, parent_id_),
            offsetof(fiber_block, name_),
            offsetof(fiber_block, made_at_),
            offsetof(fiber_block, waits_for),
            offsetof(fiber_block, started_),
            offsetof(fiber_block, home_),
            offsetof(fiber_block, stack_),
            offsetof(stack_record, sp)};
  }
};

}  // namespace weft::inline v1::detail

extern "C" {
extern const weft::detail::debug_layout weft_debug_layout;
const weft::detail::debug_layout weft_debug_layout = weft::detail::debug_layout::here();
weft::detail::scheduler* weft_debug_loops = nullptr;  // guarded by shown_loops
}

namespace weft::inline v1::detail {
namespace {

std::mutex shown_loops;

}  // namespace

void shown_to_debuggers::show(scheduler& loop) noexcept {
  const std::lock_guard lock(shown_loops);
  loop.next_shown_ = weft_debug_loops;
  weft_debug_loops = &loop;
}

void shown_to_debuggers::hide(scheduler& loop) noexcept {
  const std::lock_guard lock(shown_loops);
  scheduler** at = &weft_debug_loops;
  while (*at != &loop) at = &(*at)->next_shown_;
  *at = loop.next_shown_;
}

}  // namespace weft::inline v1::detail
