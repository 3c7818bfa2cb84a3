#include <utility>

#include <weft/core/task_block.hpp>
#include <weft/executor/future_core.hpp>
#include <weft/executor/running_place.hpp>

// Callbacks of futures call callbacks of futures. Each task that runs some has a trampoline on its stack,
// found by the chain of places as everything that belongs to a running task; it has no executor, so that
// current_executor() looks past it. A suspended callback of a fiber is in nobody else's way.

namespace weft::detail {
namespace {

constexpr unsigned depth_max = 16;

struct trampoline : running_place {
  future_callback* first = nullptr;
  future_callback* last = nullptr;
  unsigned level = 0;
};

trampoline* innermost(const task_block& self) noexcept {
  for (running_place* at = self.place; at != nullptr; at = at->around) {
    if (at->on == nullptr) return static_cast<trampoline*>(at);
  }
  return nullptr;
}

}  // namespace

void run_callbacks(future_callback* first) noexcept {
  task_block& self = task_block::current();
  trampoline* const outer = innermost(self);
  if (outer != nullptr && outer->level + 1 >= depth_max) {
    (outer->last != nullptr ? outer->last->next_ : outer->first) = first;
    while (first->next_ != nullptr) first = first->next_;
    outer->last = first;
    return;
  }
  trampoline here;
  here.around = self.place;
  if (here.around != nullptr) {
    here.task = here.around->task;
    here.depth = here.around->depth + 1;
  }
  here.level = outer == nullptr ? 0 : outer->level + 1;
  here.first = first;
  for (here.last = first; here.last->next_ != nullptr;) here.last = here.last->next_;
  self.place = &here;
  while (here.first != nullptr) {
    future_callback* const one = std::exchange(here.first, here.first->next_);
    if (here.first == nullptr) here.last = nullptr;
    one->next_ = nullptr;
    one->source_ready();  // ends itself, maybe
  }
  self.place = here.around;
}

}  // namespace weft::detail
