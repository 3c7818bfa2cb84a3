// The homes of all loops, and what there is to see of their timers.
#include <mutex>
#include <string>
#include <vector>

#include "fiber/timer_home.hpp"

namespace weft::inline v1::detail {
namespace {

// All homes whose loop has not ended.
constinit spin_lock homes_lock;
constinit timer_home* homes = nullptr;  // guarded by homes_lock

}  // namespace

void timer_home::enlist() noexcept {
  const std::lock_guard all(homes_lock);
  next_home_ = homes;
  homes = this;
}

void timer_home::leave_list() noexcept {
  const std::lock_guard all(homes_lock);
  timer_home** at = &homes;
  while (*at != this) at = &(*at)->next_home_;
  *at = next_home_;
}

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

}  // namespace weft::inline v1::detail
