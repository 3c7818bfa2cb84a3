#pragma once

#include "fiber/overflow.hpp"
#include "fiber/sanitizer.hpp"
#include "fiber/stack.hpp"
#include "fiber/stack_memory.hpp"

// From stack to stack. Inline, so that few calls lie between a wait and the switch: each of them is a return
// to predict on the other stack.

extern "C" void weft_switch_stack(void** save_sp, void* to_sp) noexcept;
extern "C" void weft_start_stack(void** save_sp, void* to_sp) noexcept;

namespace weft::inline v1::detail {

/// What is to be done before the thread goes from one stack to another.
[[gnu::always_inline]] inline void prepare_switch(stack_record& from, stack_record& to, exception_state& live,
                                                  bool for_good) noexcept {
  if (live.in_use() || to.exceptions.in_use()) [[unlikely]] {
    from.exceptions = live;
    live = to.exceptions;
    to.exceptions = {};
  }
  if (from.canary != nullptr && !canary_is_whole(from.canary)) [[unlikely]]
    die_of_overflow(from);
  sanitizer::leave(from, to, for_good);
}

/// Leaves the running stack `from` for `to`; comes back when somebody switches to `from`. Exchanges
/// the exception state `live` of the thread.
[[gnu::always_inline]] inline void switch_stack(stack_record& from, stack_record& to,
                                                exception_state& live) noexcept {
  prepare_switch(from, to, live, false);
  weft_switch_stack(&from.sp, to.sp);
  sanitizer::arrived(from);
}

/// The same, quicker where `to` is new.
[[gnu::always_inline]] inline void start_stack(stack_record& from, stack_record& to,
                                               exception_state& live) noexcept {
  prepare_switch(from, to, live, false);
  weft_start_stack(&from.sp, to.sp);
  sanitizer::arrived(from);
}

/// The last call of a stack's main, which returns what this gives it: the thread goes on at `to`, and
/// nothing will come back to `from`. Under a sanitizer it does not return.
[[gnu::always_inline]] inline void* leave_stack(stack_record& from, stack_record& to,
                                                exception_state& live) noexcept {
  prepare_switch(from, to, live, true);
  // A sanitizer already takes us to be on the other stack: no instrumented code may run on this one.
  if constexpr (sanitizer::watches_stacks) weft_switch_stack(&from.sp, to.sp);
  return to.sp;
}

}  // namespace weft::inline v1::detail
