#include <utility>

#include <weft/core/task_block.hpp>
#include <weft/executor/future_core.hpp>
#include <weft/executor/running_place.hpp>

// Callbacks of futures call callbacks of futures. Each task that runs some has a trampoline on its stack,
// found by the chain of places as everything that belongs to a running task. A suspended callback of a fiber
// is in nobody else's way.

namespace weft::inline v1::detail {
/// The callbacks that a task still has to call. It has no executor, so current_executor() looks past it.
struct trampoline : running_place {
  /// A list, in order.
  void push(future_callback* list) noexcept {
    (last != nullptr ? last->next_ : first) = list;
    for (last = list; last->next_ != nullptr;) last = last->next_;
  }
  future_callback& take_first() noexcept {
    future_callback* const one = std::exchange(first, first->next_);
    if (first == nullptr) last = nullptr;
    one->next_ = nullptr;
    return *one;
  }

  future_callback* first = nullptr;
  future_callback* last = nullptr;
  unsigned level = 0;
};

namespace {

constexpr unsigned depth_max = 16;

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
  if (outer != nullptr && outer->level + 1 >= depth_max) return outer->push(first);
  trampoline here;
  here.around = self.place;
  if (here.around != nullptr) {
    here.task = here.around->task;
    here.depth = here.around->depth + 1;
  }
  here.level = outer == nullptr ? 0 : outer->level + 1;
  here.push(first);
  self.place = &here;
  while (here.first != nullptr) here.take_first().source_ready();  // ends itself, maybe
  self.place = here.around;
}

void run_queued_callbacks(const future_core& awaited) noexcept {
  for (running_place* at = task_block::current().place; at != nullptr; at = at->around) {
    if (at->on != nullptr) continue;
    auto& queue = *static_cast<trampoline*>(at);
    while (queue.first != nullptr && !awaited.is_ready()) queue.take_first().source_ready();
  }
}

}  // namespace weft::inline v1::detail
