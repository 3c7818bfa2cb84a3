#include "fiber/timer_home.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "fiber/runtime.hpp"
#include "fiber/uncaught.hpp"

namespace weft::detail {
namespace {

constexpr int swept_max = 1024;  // records taken out of the wheel in one turn of the loop

// All homes whose loop has not ended.
constinit spin_lock homes_lock;
constinit timer_home* homes = nullptr;  // guarded by homes_lock

/// Ties a home to its loop.
class home_of_loop final : public loop_service {
 public:
  explicit home_of_loop(timer_home& home) noexcept : of(home) {}
  home_of_loop(const home_of_loop&) = delete;
  home_of_loop& operator=(const home_of_loop&) = delete;
  ~home_of_loop() override { of.close(); }
  timer_home& of;
};

}  // namespace

timer_home::timer_home(scheduler& loop) : loop_(&loop), epoch_(loop.time_of(0)) {
  const std::lock_guard all(homes_lock);
  next_home_ = homes;
  homes = this;
}

timer_home& timer_home::here() {
  scheduler* const loop = scheduler::current();
  if (loop == nullptr || loop->running() == nullptr) {
    throw error(errc::no_scheduler, "timer: the caller is not on a fiber of weft::run; arm timers from one");
  }
  if (loop->user_timers == nullptr)
    loop->user_timers = std::make_unique<home_of_loop>(*new timer_home(*loop));
  return static_cast<home_of_loop&>(*loop->user_timers).of;
}

// Arming and ending.

void timer_home::arm(timer_record& timer, steady_time due) noexcept {
  const std::lock_guard lock(lock_);
  timer.home_ = this;
  timer.refs_ = 2;
  timer.active_ = timer.in_wheel_ = true;
  timer.next_ = active_;
  if (active_ != nullptr) active_->previous_ = &timer;
  active_ = &timer;
  ++records_;
  ++figures_.active;
  if (timer.keeps_run && holds_++ == 0) loop_->of().hold();
  loop_->arm(timer, due);
}

void timer_home::end_active(timer_record& timer) noexcept {
  timer.active_ = false;
  (timer.previous_ != nullptr ? timer.previous_->next_ : active_) = timer.next_;
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  timer.next_ = timer.previous_ = nullptr;
  --figures_.active;
}

void timer_home::drop_hold(const timer_record& timer) noexcept {
  if (timer.keeps_run && --holds_ == 0) loop_->of().let_go();
}

/// The wheel gives up its reference, which is not the last one, now or when the loop gets to it.
void timer_home::leave_wheel(timer_record& timer) noexcept {
  if (!timer.in_wheel_) return;
  if (loop_ != nullptr && !loop_->is_home()) {
    timer.next_ = std::exchange(dead_, &timer);
    if (!sweep_posted_) post_sweep();
    return;
  }
  timer.in_wheel_ = false;
  --timer.refs_;
  if (loop_ == nullptr) return;
  if (timer.armed()) loop_->disarm(timer);
  drop_hold(timer);
}

/// Under the lock, which keeps the loop there; it allocates once for all that are cancelled meanwhile.
void timer_home::post_sweep() noexcept {
  try {
    loop_->post([this] { sweep(); });
    sweep_posted_ = true;
  } catch (const std::bad_alloc&) {
    // The next one that is cancelled tries again; until then they lie in the wheel and do nothing.
  }
}

void timer_home::sweep() noexcept {
  guard lock(lock_);
  sweep_posted_ = false;
  for (int swept = 0; dead_ != nullptr; ++swept) {
    if (swept == swept_max) {
      post_sweep();
      return;
    }
    timer_record& timer = *std::exchange(dead_, dead_->next_);
    timer.in_wheel_ = false;
    if (timer.armed()) loop_->disarm(timer);
    drop_hold(timer);
    lock.unlock();
    release(timer);
    lock.lock();
  }
}

bool timer_home::is_own_tick(const timer_record& timer) noexcept {
  return timer.tick_ != nullptr && static_cast<task_block*>(timer.tick_) == &task_block::current();
}

bool timer_home::cancel(timer_record& timer, bool ask_tick) noexcept {
  tick_fiber* asked = nullptr;
  guard lock(lock_);
  const bool was_active = timer.active_;
  if (was_active) {
    end_active(timer);
    leave_wheel(timer);
    ++figures_.cancelled;
  }
  const bool drop = was_active && !timer.calling_;
  if (ask_tick && timer.calling_ && timer.tick_ != nullptr && !is_own_tick(timer)) {
    asked = timer.tick_;
    asked->retain();
  }
  lock.unlock();
  if (asked != nullptr) {
    asked->cancel(cancel_reason::requested);
    asked->release();
  }
  if (drop) timer.drop_function();
  return was_active;
}

void timer_home::wait_idle(timer_record& timer, const char* what, bool cancellable) {
  guard lock(lock_);
  while (timer.ticking_ && !is_own_tick(timer)) {
    waiter self;
    if (wait_in(idle_, self, lock, no_deadline, what, cancellable) == wait_outcome::cancelled) {
      lock.unlock();
      throw_cancelled(what);
    }
  }
}

void timer_home::release(timer_record& timer) noexcept {
  guard lock(lock_);
  if (--timer.refs_ > 0) return;
  const bool last = --records_ == 0 && loop_ == nullptr;
  lock.unlock();
  timer.destroy();
  if (last) delete this;
}

void timer_home::close() noexcept {
  {
    const std::lock_guard all(homes_lock);
    timer_home** at = &homes;
    while (*at != this) at = &(*at)->next_home_;
    *at = next_home_;
  }
  guard lock(lock_);
  loop_ = nullptr;
  ++records_;  // ours, until the end of this function
  while (active_ != nullptr) {
    timer_record& timer = *active_;
    end_active(timer);
    timer.in_wheel_ = false;
    lock.unlock();
    timer.drop_function();
    release(timer);
    lock.lock();
  }
  while (dead_ != nullptr) {
    timer_record& timer = *std::exchange(dead_, dead_->next_);
    timer.in_wheel_ = false;
    lock.unlock();
    release(timer);
    lock.lock();
  }
  const bool last = --records_ == 0;
  lock.unlock();
  if (last) delete this;
}

// Ticks.

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

tick_fiber::tick_fiber(timer_record& of, fiber_origin origin) : fiber_result<void>(origin), of_(of) {
  set_parent(of.made_by_);
  set_watcher(of);
}

void tick_fiber::run_body() noexcept {
  outcome_.emplace(result<void>::of([this] { of_.call(); }));
  of_.home_->call_over(of_, is_last() || (of_.stops_on_error && !outcome_->has_value()));
}

void tick_fiber::fail_unstarted(std::exception_ptr why) noexcept {
  outcome_.emplace(std::move(why));
  of_.home_->call_over(of_, is_last());
}

/// Was it asked to give up by what is around it? Then others would be, too.
bool tick_fiber::is_last() const noexcept {
  return requested().has_value() || (deadline() != no_deadline && deadline() <= steady_clock::now());
}

// For those who look.

bool timer_home::is_active(const timer_record& timer) noexcept {
  const std::lock_guard lock(lock_);
  return timer.active_;
}

timer_info timer_home::info(timer_record& timer) {
  timer_info info{.id = timer.id_, .name = std::string(timer.name())};
  const std::lock_guard lock(lock_);
  info.ticking = timer.ticking_;
  if (const timer_period* const period = timer.period()) {
    info.due = period->due;
    info.period = period->length;
    info.ticks = period->ticks;
    info.missed = period->missed;
  } else {
    info.due = epoch_ + std::chrono::milliseconds(timer.due);
    info.ticks = timer.fired_ ? 1 : 0;
  }
  return info;
}

/// False if `into` has no room for all.
bool timer_home::collect(std::vector<timer_record*>& into) noexcept {
  const std::lock_guard lock(lock_);
  for (timer_record* timer = active_; timer != nullptr; timer = timer->next_) {
    if (into.size() == into.capacity()) return false;
    ++timer->refs_;
    into.push_back(timer);
  }
  return true;
}

std::vector<timer_info> timer_home::list() {
  std::vector<timer_record*> held;
  const auto let_go = [&] {
    for (timer_record* const timer : held) timer->home_->release(*timer);
    held.clear();
  };
  for (bool all = false; !all;) {
    held.reserve(statistics().active + held.capacity() / 2 + 16);
    all = true;
    const std::lock_guard lock(homes_lock);
    for (timer_home* home = homes; home != nullptr && all; home = home->next_home_) all = home->collect(held);
    if (!all) let_go();
  }
  std::vector<timer_info> infos;
  try {
    infos.reserve(held.size());
    for (timer_record* const timer : held) infos.push_back(timer->home_->info(*timer));
  } catch (...) {
    let_go();
    throw;
  }
  let_go();
  return infos;
}

timer_statistics timer_home::statistics() noexcept {
  timer_statistics sum;
  const std::lock_guard all(homes_lock);
  for (timer_home* home = homes; home != nullptr; home = home->next_home_) {
    const std::lock_guard lock(home->lock_);
    sum.active += home->figures_.active;
    sum.ticks += home->figures_.ticks;
    sum.missed += home->figures_.missed;
    sum.cancelled += home->figures_.cancelled;
  }
  return sum;
}

}  // namespace weft::detail
