#include <weft/fiber/event.hpp>

#include <mutex>

#include "fiber/wait_served.hpp"

// The flag is read under guard_, also where it is set already: who sees it set may destroy the event, and
// must not overtake the setter's last touch, which is the release of guard_.

namespace weft::inline v1 {

void event::set() noexcept {
  const std::lock_guard guard(guard_);
  set_.store(true, std::memory_order_relaxed);
  waiters_.serve_all();
}

void event::reset() noexcept {
  const std::lock_guard guard(guard_);
  set_.store(false, std::memory_order_relaxed);
}

bool event::is_set() const noexcept {
  const std::lock_guard guard(guard_);
  return seems_set();
}

std::size_t event::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

bool event::wait_set(steady_time until) {
  detail::check_cancelled("event::wait");
  std::unique_lock guard(guard_);
  return seems_set() || detail::wait_served(waiters_, guard, until, "event::wait");
}

}  // namespace weft::inline v1
