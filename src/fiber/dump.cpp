#include <weft/fiber/dump.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"
#include "fiber/survey.hpp"

namespace weft::inline v1 {

std::string dump_fibers(const dump_options& options) {
  detail::scheduler* const here = detail::scheduler::current();
  if (here == nullptr) return {};
  return detail::survey::of(here->of(), options);
}

namespace this_fiber {
namespace {

const detail::stack_record* own_stack() noexcept {
  const detail::scheduler* const here = detail::scheduler::current();
  return here == nullptr || here->running() == nullptr ? nullptr : here->running_stack();
}

}  // namespace

std::size_t stack_bytes() noexcept {
  const detail::stack_record* const stack = own_stack();
  return stack == nullptr ? 0 : stack->bytes;
}

[[gnu::noinline]] std::size_t stack_used() noexcept {
  const detail::stack_record* const stack = own_stack();
  return stack == nullptr ? 0 : detail::bytes_above(*stack, __builtin_frame_address(0));
}

std::size_t stack_high_water() noexcept {
  const detail::stack_record* const stack = own_stack();
  return stack == nullptr ? 0 : detail::touched_bytes(*stack);
}

}  // namespace this_fiber
}  // namespace weft::inline v1
