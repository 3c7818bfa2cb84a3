#include <weft/context/wait.hpp>

#include <string>

#include <weft/core/error.hpp>

#include "context/give_up_watch.hpp"

namespace weft::inline v1::detail {

void throw_wait_refused(const task_block& task, const char* what) {
  throw error(errc::misuse, std::string(what) + ": this would wait inside " + task.no_wait +
                                ", where waiting is not allowed; do it before or after");
}

namespace {

/// Is `one` served, and has its server left the waiter and the lock? Without the lock.
bool was_served_and_left(const waiter& one, const spin_lock& lock) noexcept {
  return one.served.load(std::memory_order_acquire) && lock.is_free();
}

/// Called with `lock` held. Left without it where `one` was served and `keep_lock` is not set, else with it.
wait_outcome park_in(task_block& task, waiter_line& line, waiter& one, std::unique_lock<spin_lock>& lock,
                     steady_time until, const char* what, bool cancellable, bool keep_lock) {
  require_wait_allowed(task, what);
  const give_up_watch watch(task, cancellable);
  const steady_time bound = watch.bound(until);
  one.task = &task;
  line.push_back(one);
  task.waits_for.store(what, std::memory_order_relaxed);
  wait_outcome outcome = wait_outcome::served;
  while (!one.served.load(std::memory_order_relaxed)) {
    if (watch.must_give_up()) {
      outcome = wait_outcome::cancelled;
      break;
    }
    lock.unlock();
    const bool woken = task.park_until(bound);
    if (!keep_lock && was_served_and_left(one, *lock.mutex())) break;
    lock.lock();
    if (!woken && !one.served.load(std::memory_order_relaxed) && bound == until) {
      outcome = wait_outcome::timed_out;
      break;
    }
  }
  task.waits_for.store(nullptr, std::memory_order_relaxed);
  if (outcome != wait_outcome::served) line.remove(one);
  return outcome;
}

}  // namespace

wait_outcome wait_in(waiter_line& line, waiter& one, std::unique_lock<spin_lock>& lock, steady_time until,
                     const char* what, bool cancellable) {
  return park_in(task_block::current(), line, one, lock, until, what, cancellable, true);
}

wait_outcome wait_and_leave(task_block& task, waiter_line& line, waiter& one,
                            std::unique_lock<spin_lock>& lock, steady_time until, const char* what,
                            bool cancellable) {
  const auto outcome = park_in(task, line, one, lock, until, what, cancellable, false);
  if (lock.owns_lock()) lock.unlock();
  return outcome;
}

void throw_cancelled(const char* what) {
  const auto reason = pending_cancellation();
  throw cancelled(reason.value_or(cancel_reason::requested), what);
}

void check_cancelled_by(const cancel_state& state, const char* what) {
  if (const auto reason = pending_cancellation(state)) throw cancelled(*reason, what);
}

}  // namespace weft::inline v1::detail
