#include <weft/fiber/parker.hpp>

#include <mutex>
#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1 {

bool parker::park_until(steady_time until) {
  detail::check_cancelled("park");
  std::unique_lock lock(lock_);
  if (permit_.load(std::memory_order_relaxed)) {
    permit_.store(false, std::memory_order_relaxed);
    return true;
  }
  if (!waiters_.empty()) {
    throw error(errc::busy, "park: task " + std::to_string(detail::task_block::current().id()) +
                                " wants to park where task " + std::to_string(waiters_.front()->task->id()) +
                                " is parked; a parker is for one task");
  }
  detail::waiter self;
  const auto outcome = detail::wait_in(waiters_, self, lock, until, "park");
  lock.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("park");
  return outcome == detail::wait_outcome::served;
}

void parker::unpark() noexcept {
  const std::lock_guard lock(lock_);
  if (!waiters_.serve_front()) permit_.store(true, std::memory_order_relaxed);
}

}  // namespace weft::inline v1
