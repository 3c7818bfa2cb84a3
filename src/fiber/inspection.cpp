#include "fiber/inspection.hpp"

#include "fiber/scheduler.hpp"
#include "fiber/switch_stack.hpp"

namespace weft::inline v1::detail {

inspection::inspection(scheduler& here) noexcept
    : here_(here), asker_(here.running() != nullptr ? *here.running()->stack_ : here.loop_stack_) {
  here_.inspection_ = this;
}

inspection::~inspection() { here_.inspection_ = nullptr; }

stack_trace inspection::trace_of(fiber_block& parked) noexcept {
  asked_ = parked.stack_;
  switch_stack(asker_, *asked_, here_.live_exceptions_);
  return trace_;
}

void inspection::answer() noexcept {
  trace_ = stack_trace::current(1);
  switch_stack(*asked_, asker_, here_.live_exceptions_);
}

}  // namespace weft::inline v1::detail
