#include <weft/fiber/preemption.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

bool may_switch(const scheduler& here, const fiber_block& fiber, bool asked_for) noexcept {
  if (safepoints_off > 0 || fiber.no_wait != nullptr || here.exception_in_flight()) return false;
  return asked_for || fiber.preemption_off == 0;
}

}  // namespace

// The mark stays where the fiber may not switch here: the next safepoint at which it may does.
[[gnu::noinline]] void safepoint_due(bool asked_for) noexcept {
  scheduler* const here = scheduler::current();
  fiber_block* const fiber = here == nullptr ? nullptr : here->running();
  if (fiber == nullptr) {
    turn_due.store(false, std::memory_order_relaxed);
    return;
  }
  if (!may_switch(*here, *fiber, asked_for)) return;
  turn_due.store(false, std::memory_order_relaxed);
  ++safepoints_off;  // starting a thread may run code of the program, with safepoints
  const bool first = here->of().watch().watch_turns();
  --safepoints_off;
  if (!first) here->yield_to_loop();
}

}  // namespace weft::inline v1::detail
