#include "fiber/timer_home.hpp"

#include <memory>
#include <new>
#include <utility>

#include <weft/core/error.hpp>

#include "fiber/runtime.hpp"
#include "fiber/tick_fiber.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr int swept_max = 1024;  // records taken out of the wheel in one turn of the loop

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

timer_home::timer_home(scheduler& loop) : loop_(&loop), epoch_(loop.time_of(0)) { enlist(); }

timer_home& timer_home::here() {
  scheduler* const loop = scheduler::current();
  if (loop == nullptr || loop->running() == nullptr) {
    throw error(errc::no_scheduler, "timer: the caller is not on a fiber of weft::run; arm timers from one");
  }
  if (loop->user_timers == nullptr)
    loop->user_timers = std::make_unique<home_of_loop>(*new timer_home(*loop));
  return static_cast<home_of_loop&>(*loop->user_timers).of;
}

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
  leave_list();
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

}  // namespace weft::inline v1::detail
