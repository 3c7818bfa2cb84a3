#include <weft/fiber/once.hpp>

#include <mutex>

#include <weft/core/error.hpp>

#include "fiber/contract.hpp"

// While runner_ is 0 and done_ is not set nobody waits. A task that is served either finds done_ set, or is
// the next runner: runner_ has its id already, so that no newcomer comes between.

namespace weft::inline v1 {

/// True: the caller runs its initialiser, and calls end(). False: it is done.
bool once::begin() {
  const detail::task_block& me = detail::task_block::current();
  std::unique_lock guard(guard_);
  if (done_.load(std::memory_order_relaxed)) return false;
  if (runner_ == 0) {
    runner_ = me.id();
    return true;
  }
  if (runner_ == me.id()) {
    guard.unlock();
    throw error(errc::misuse, "once::call: " + detail::describe(me) +
                                  " calls it again from within the initialiser, and would wait for itself");
  }
  detail::waiter self;
  const auto outcome = detail::wait_in(waiters_, self, guard, no_deadline, "once::call");
  const bool mine = runner_ == me.id();
  guard.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("once::call");
  return mine;
}

void once::end(bool succeeded) noexcept {
  const std::lock_guard guard(guard_);
  runner_ = 0;
  if (succeeded) {
    done_.store(true, std::memory_order_release);
    waiters_.serve_all();
  } else if (!waiters_.empty()) {
    runner_ = waiters_.front()->task->id();
    waiters_.serve_front();
  }
}

}  // namespace weft::inline v1
