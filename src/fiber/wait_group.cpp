#include <weft/fiber/wait_group.hpp>

#include <limits>
#include <mutex>

#include "fiber/contract.hpp"
#include "fiber/wait_served.hpp"

// As in event.cpp, the count is read under guard_ also where it is zero, for the sake of waiters that
// destroy the group.

namespace weft::inline v1 {

void wait_group::add(std::size_t count) noexcept {
  const std::lock_guard guard(guard_);
  if (count > std::numeric_limits<std::size_t>::max() - count_)
    detail::contract_broken("wait_group::add", "the count would overflow; was a negative number added?");
  count_ += count;
}

void wait_group::done() noexcept {
  const std::lock_guard guard(guard_);
  if (count_ == 0) {
    detail::contract_broken("wait_group::done",
                            detail::describe(detail::task_block::current()) +
                                " called it more often than add; add before the work starts");
  }
  if (--count_ == 0) waiters_.serve_all();
}

std::size_t wait_group::count() const noexcept {
  const std::lock_guard guard(guard_);
  return count_;
}

std::size_t wait_group::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

bool wait_group::wait_done(steady_time until) {
  detail::check_cancelled("wait_group::wait");
  std::unique_lock guard(guard_);
  return count_ == 0 || detail::wait_served(waiters_, guard, until, "wait_group::wait");
}

}  // namespace weft::inline v1
