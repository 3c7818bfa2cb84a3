#include <weft/fiber/condition.hpp>

#include <weft/core/error.hpp>

// A task joins the line before it releases the mutex, and both happen under guard_: a notify that comes
// after the mutex was released cannot miss it. guard_ is taken before the mutex's own guard, never the
// other way round.

namespace weft::inline v1 {

bool condition::wait_notified(std::unique_lock<mutex>& lock, steady_time until) {
  detail::check_cancelled("condition::wait");
  detail::require_wait_allowed("condition::wait");
  if (!lock.owns_lock())
    throw error(errc::misuse, "condition::wait: the lock does not hold its mutex; lock it first");
  detail::waiter self;
  std::unique_lock guard(guard_);
  lock.unlock();
  const auto outcome = detail::wait_in(waiters_, self, guard, until, "condition::wait");
  guard.unlock();
  lock.lock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("condition::wait");
  return outcome == detail::wait_outcome::served;
}

void condition::notify_one() noexcept {
  const std::lock_guard guard(guard_);
  if (!waiters_.empty()) waiters_.serve_front();
}

void condition::notify_all() noexcept {
  const std::lock_guard guard(guard_);
  waiters_.serve_all();
}

std::size_t condition::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

}  // namespace weft::inline v1
