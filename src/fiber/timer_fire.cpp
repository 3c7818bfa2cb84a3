// What a home does when a timer is due: from the loop's call to the end of the tick.
#include <cstdint>
#include <mutex>
#include <utility>

#include "fiber/runtime.hpp"
#include "fiber/tick_fiber.hpp"
#include "fiber/timer_home.hpp"
#include "fiber/uncaught.hpp"

namespace weft::inline v1::detail {

void timer_home::fire(timer_record& timer) noexcept {
  timer_period* const period = timer.period();
  {
    const std::lock_guard lock(lock_);
    if (!timer.active_) return;  // cancelled elsewhere; the sweep will see to it
    if (period != nullptr) {
      const auto skipped = static_cast<std::uint64_t>((loop_->now() - period->due) / period->length);
      period->due += period->length * static_cast<std::int64_t>(skipped + 1);
      period->missed += skipped + (timer.ticking_ ? 1 : 0);
      figures_.missed += skipped + (timer.ticking_ ? 1 : 0);
      loop_->arm(timer, period->due);
      if (timer.ticking_) return;
      ++period->ticks;
      ++timer.refs_;
    } else {
      end_active(timer);
      timer.in_wheel_ = false;  // its reference becomes the tick's
    }
    ++figures_.ticks;
    timer.fired_ = timer.ticking_ = timer.calling_ = true;
  }
  start_tick(timer);
  if (period != nullptr) return;
  const std::lock_guard lock(lock_);
  drop_hold(timer);  // the run counts the fiber by now
}

void timer_home::start_tick(timer_record& timer) noexcept {
  tick_fiber* tick = nullptr;
  try {
    // Its three references are its context's, the loop's and that of timer.tick_.
    tick =
        new tick_fiber(timer, {.context = timer.context_, .name = timer.name(), .made_at = timer.made_at_});
    tick->abandon();
    {
      const std::lock_guard lock(lock_);
      timer.tick_ = tick;
    }
    loop_->add(*tick);
  } catch (...) {
    const no_wait_scope on_loop("a timer that could not start its fiber");
    report_uncaught({.error = std::current_exception(),
                     .fiber_id = tick == nullptr ? 0 : tick->id(),
                     .name = timer.name()});
    if (tick != nullptr) tick->discard();
    call_over(timer, false);
    tick_over(timer);
  }
}

void timer_home::call_over(timer_record& timer, bool last) noexcept {
  guard lock(lock_);
  timer.calling_ = false;
  if (last && timer.active_) {
    end_active(timer);
    leave_wheel(timer);
  }
  const bool drop = !timer.active_;
  lock.unlock();
  if (drop) timer.drop_function();
}

void timer_home::tick_over(timer_record& timer) noexcept {
  tick_fiber* tick = nullptr;
  {
    const std::lock_guard lock(lock_);
    tick = std::exchange(timer.tick_, nullptr);
  }
  if (tick != nullptr) tick->release();
  {
    const std::lock_guard lock(lock_);
    timer.ticking_ = false;
    idle_.serve_all();
  }
  release(timer);
}

}  // namespace weft::inline v1::detail
