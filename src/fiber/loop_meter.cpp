#include "fiber/loop_meter.hpp"

namespace weft::inline v1::detail {

void loop_meter::note_lag(steady_time now) noexcept {
  noted_ = now;
  if (longest_ == steady_clock::duration::min()) return;
  lag_.record(longest_);
  longest_ = steady_clock::duration::min();
}

void loop_meter::copy(const loop_figures& now) noexcept {
  ready_.store(now.ready, std::memory_order_relaxed);
  stacks_.store(now.stacks, std::memory_order_relaxed);
  stacks_in_use_.store(now.stacks_in_use, std::memory_order_relaxed);
  stacks_idle_.store(now.stacks_idle, std::memory_order_relaxed);
  stack_touched_.store(now.stack_touched, std::memory_order_relaxed);
  timers_.store(now.timers, std::memory_order_relaxed);
}

loop_figures loop_meter::figures() const noexcept {
  return {.ready = ready_.load(std::memory_order_relaxed),
          .stacks = stacks_.load(std::memory_order_relaxed),
          .stacks_in_use = stacks_in_use_.load(std::memory_order_relaxed),
          .stacks_idle = stacks_idle_.load(std::memory_order_relaxed),
          .stack_touched = stack_touched_.load(std::memory_order_relaxed),
          .timers = timers_.load(std::memory_order_relaxed)};
}

}  // namespace weft::inline v1::detail
