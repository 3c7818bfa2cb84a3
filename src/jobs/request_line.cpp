#include "jobs/request_line.hpp"

#include <array>
#include <mutex>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/late_wakes.hpp>
#include <weft/core/outside_work.hpp>

namespace weft::inline v1::jobs {

using weft::detail::wait_in;
using weft::detail::wait_outcome;

namespace {

using guard = std::unique_lock<weft::detail::spin_lock>;
constexpr const char* request_wait = "jobs: wait for the store";

}  // namespace

void request_line_base::enqueue(parked_request& asked) noexcept {
  (last_ != nullptr ? last_->next_ : first_) = &asked;
  last_ = &asked;
  if (!servers_.empty()) servers_.serve_front();
}

void request_line_base::withdraw(parked_request& asked) noexcept {
  parked_request* previous = nullptr;
  parked_request* one = first_;
  while (one != &asked) previous = std::exchange(one, one->next_);
  (previous != nullptr ? previous->next_ : first_) = asked.next_;
  if (last_ == &asked) last_ = previous;
}

void request_line_base::ask_and_park(parked_request& asked) {
  weft::detail::check_cancelled(request_wait);
  process_.require_own();
  const weft::detail::outside_work server_wakes_us;
  guard lock(lock_);
  if (closed_) throw error(errc::closed, "jobs: use the store: it is closed");
  enqueue(asked);
  wait_outcome outcome{};
  try {
    outcome = wait_in(callers_, asked.caller_, lock, no_deadline, request_wait);
  } catch (const error&) {  // inside a no_wait_scope: thrown at once, with the lock still held
    withdraw(asked);
    throw;
  }
  using step = parked_request::step;
  if (outcome == wait_outcome::cancelled && asked.step_ == step::queued) {
    withdraw(asked);
    lock.unlock();
    weft::detail::throw_cancelled(request_wait);
  }
  if (asked.step_ != step::finished) {
    wait_in(callers_, asked.caller_, lock, no_deadline, request_wait, false);
  }
  lock.unlock();
  if (asked.error) std::rethrow_exception(asked.error);
}

bool request_line_base::wait(weft::steady_time until) {
  guard lock(lock_);
  if (first_ == nullptr && !closed_ && !nudged_) {
    weft::detail::waiter self;
    wait_in(servers_, self, lock, until, "jobs: wait for requests", false);
  }
  nudged_ = false;
  return !closed_ || first_ != nullptr;
}

std::size_t request_line_base::take_some(std::span<parked_request*> into) {
  const guard lock(lock_);
  std::size_t count = 0;
  for (; count < into.size() && first_ != nullptr; ++count) {
    parked_request* const one = std::exchange(first_, first_->next_);
    one->step_ = parked_request::step::taken;
    into[count] = one;
  }
  if (first_ == nullptr) last_ = nullptr;
  return count;
}

void request_line_base::finish_some(std::span<parked_request* const> done) {
  const weft::detail::late_wakes after_the_lock;
  const guard lock(lock_);
  for (parked_request* const one : done) {
    one->step_ = parked_request::step::finished;
    callers_.serve(one->caller_);
  }
}

void request_line_base::close() {
  const guard lock(lock_);
  closed_ = true;
  servers_.serve_all();
}

void request_line_base::abandon(const std::exception_ptr& why) {
  close();
  std::array<parked_request*, woken_together> some{};
  while (const std::size_t count = take_some(some)) {
    for (std::size_t i = 0; i < count; ++i) some[i]->error = why;
    finish_some(std::span(some).first(count));
  }
}

void request_line_base::nudge() {
  const guard lock(lock_);
  nudged_ = true;
  if (!servers_.empty()) servers_.serve_front();
}

}  // namespace weft::inline v1::jobs
