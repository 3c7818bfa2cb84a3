#include <weft/executor/future.hpp>

#include <mutex>
#include <string>

#include "executor/uncaught.hpp"

namespace weft::detail {

bool future_core::is_ready() const noexcept {
  const std::lock_guard lock(lock_);
  return ready_;
}

bool future_core::wait_ready(steady_time until) {
  std::unique_lock lock(lock_);
  if (ready_) return true;
  lock.unlock();
  check_cancelled("future::get");
  lock.lock();
  if (ready_) return true;
  waiter self;
  const auto outcome = wait_in(waiters_, self, lock, until, "future::get");
  lock.unlock();
  if (outcome == wait_outcome::cancelled) throw_cancelled("future::get");
  return outcome == wait_outcome::served;
}

void future_core::publish() noexcept {
  const std::lock_guard lock(lock_);
  ready_ = true;
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
