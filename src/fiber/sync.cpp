#include <weft/fiber/sync.hpp>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace weft {
namespace {

/// Waits in `line`; false when `until` passed; throws weft::cancelled. Leaves `lock` released.
bool wait_served(detail::waiter_line& line, std::unique_lock<detail::spin_lock>& lock, steady_time until,
                 const char* what) {
  detail::waiter self;
  const auto outcome = detail::wait_in(line, self, lock, until, what);
  lock.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled(what);
  return outcome == detail::wait_outcome::served;
}

}  // namespace

void mutex::lock() {
  std::unique_lock guard(guard_);
  if (!locked_) {
    locked_ = true;
    return;
  }
  detail::waiter self;
  detail::wait_in(waiters_, self, guard, no_deadline, "mutex::lock", false);
}

bool mutex::try_lock() noexcept {
  const std::lock_guard guard(guard_);
  return !std::exchange(locked_, true);
}

bool mutex::lock_until(steady_time until) {
  detail::check_cancelled("mutex::try_lock_for");
  std::unique_lock guard(guard_);
  if (!std::exchange(locked_, true)) return true;
  return wait_served(waiters_, guard, until, "mutex::try_lock_for");
}

// Stays locked when it is handed on: nobody can overtake the one who waits longest.
void mutex::unlock() noexcept {
  const std::lock_guard guard(guard_);
  if (waiters_.empty()) {
    locked_ = false;
  } else {
    waiters_.serve_front();
  }
}

void condition::wait(std::unique_lock<mutex>& lock) { wait_until(lock, no_deadline); }

bool condition::wait_until(std::unique_lock<mutex>& lock, steady_time until) {
  detail::check_cancelled("condition::wait");
  detail::require_wait_allowed("condition::wait");
  detail::waiter self;
  detail::wait_outcome outcome;
  {
    // In line before the mutex is released: a notify after that cannot be missed.
    std::unique_lock guard(guard_);
    lock.unlock();
    outcome = detail::wait_in(waiters_, self, guard, until, "condition::wait");
  }
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

void semaphore::acquire() { acquire_until(no_deadline); }

bool semaphore::try_acquire() noexcept {
  const std::lock_guard guard(guard_);
  if (permits_ == 0 || !waiters_.empty()) return false;
  --permits_;
  return true;
}

bool semaphore::acquire_until(steady_time until) {
  detail::check_cancelled("semaphore::acquire");
  std::unique_lock guard(guard_);
  if (permits_ > 0 && waiters_.empty()) {
    --permits_;
    return true;
  }
  return wait_served(waiters_, guard, until, "semaphore::acquire");
}

void semaphore::release(std::size_t permits) noexcept {
  const std::lock_guard guard(guard_);
  for (; permits > 0 && !waiters_.empty(); --permits) waiters_.serve_front();
  permits_ += permits;
}

void event::set() noexcept {
  const std::lock_guard guard(guard_);
  set_ = true;
  waiters_.serve_all();
}

void event::reset() noexcept {
  const std::lock_guard guard(guard_);
  set_ = false;
}

bool event::is_set() const noexcept {
  const std::lock_guard guard(guard_);
  return set_;
}

bool event::wait_until(steady_time until) {
  detail::check_cancelled("event::wait");
  std::unique_lock guard(guard_);
  return set_ || wait_served(waiters_, guard, until, "event::wait");
}

void wait_group::add(std::size_t count) noexcept {
  const std::lock_guard guard(guard_);
  count_ += count;
}

void wait_group::done() noexcept {
  const std::lock_guard guard(guard_);
  if (count_ == 0) {
    std::fputs("weft: wait_group::done was called more often than add\n", stderr);
    std::abort();
  }
  if (--count_ == 0) waiters_.serve_all();
}

std::size_t wait_group::count() const noexcept {
  const std::lock_guard guard(guard_);
  return count_;
}

bool wait_group::wait_until(steady_time until) {
  detail::check_cancelled("wait_group::wait");
  std::unique_lock guard(guard_);
  return count_ == 0 || wait_served(waiters_, guard, until, "wait_group::wait");
}

}  // namespace weft
