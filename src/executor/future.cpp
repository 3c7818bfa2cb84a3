#include <weft/executor/future.hpp>

#include <mutex>
#include <string>

#include "executor/uncaught.hpp"

namespace weft::detail {

bool future_core::wait_ready(steady_time until) {
  constexpr const char* what = "future::get";
  if (is_ready()) {
    if (!lock_.is_free()) {
      const std::lock_guard until_publish_is_over(lock_);
    }
    return true;
  }
  task_block& task = task_block::current();
  check_cancelled(task, what);
  if (until == no_deadline) refuse_wait_for_itself(what);
  std::unique_lock lock(lock_);
  if (is_ready()) return true;
  waiter self;
  const auto outcome = wait_and_leave(task, waiters_, self, lock, until, what);
  if (outcome == wait_outcome::cancelled) throw_cancelled(what);
  return outcome == wait_outcome::served;
}

void future_core::publish() noexcept {
  const std::lock_guard lock(lock_);
  ready_.store(true, std::memory_order_release);
  waiters_.serve_all();
}

void future_core::report_if_unobserved(const std::exception_ptr& error) const noexcept {
  if (error != nullptr && !observed_.load(std::memory_order_relaxed)) {
    report_uncaught_error("a future that nobody looked at", error);
  }
}

void throw_no_state(const char* what) {
  throw error(errc::misuse,
              std::string(what) + ": the handle is empty; a result is taken once, by one handle");
}

void throw_already_set() {
  throw error(errc::misuse, "promise::set: the outcome was set before; use try_set where several may set it");
}

std::exception_ptr make_broken_promise() {
  return std::make_exception_ptr(broken_promise("promise: it was dropped before it had an outcome"));
}

}  // namespace weft::detail
