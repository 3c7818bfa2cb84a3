#include <weft/fiber/fiber.hpp>

#include <mutex>
#include <thread>

#include <weft/core/error.hpp>

#include "fiber/scheduler.hpp"

namespace weft::inline v1 {

namespace detail {

void throw_not_joinable() {
  throw error(errc::misuse, "fiber::join: the handle is empty; a fiber is joined once, by one handle");
}

}  // namespace detail

void yield() {
  const detail::task_block& task = detail::task_block::current();
  detail::require_wait_allowed(task, "yield");
  detail::check_cancelled(task, "yield");
  if (task.is_fiber()) {
    detail::scheduler::current()->yield_turn();
    detail::check_cancelled(task, "yield");
  } else {
    std::this_thread::yield();
  }
}

void sleep_until(steady_time until) {
  detail::spin_lock nobody_serves;
  detail::waiter_line line;
  detail::waiter self;
  std::unique_lock lock(nobody_serves);
  const auto outcome = detail::wait_in(line, self, lock, until, "sleep");
  lock.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("sleep");
}

namespace this_fiber {

bool in_fiber() noexcept { return detail::task_block::current().is_fiber(); }
std::uint64_t id() noexcept { return detail::task_block::current().id(); }
std::string_view name() noexcept { return detail::task_block::current().name(); }
std::uint64_t parent_id() noexcept {
  const detail::task_block& task = detail::task_block::current();
  return task.is_fiber() ? static_cast<const detail::fiber_block&>(task).parent_id() : 0;
}

}  // namespace this_fiber
}  // namespace weft::inline v1
