#include "jobs/sqlite/turn_queue.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/late_wakes.hpp>
#include <weft/core/outside_work.hpp>

namespace weft::jobs::sqlite {

using weft::detail::wait_in;
using weft::detail::wait_outcome;

namespace {

using guard = std::unique_lock<weft::detail::spin_lock>;
constexpr std::size_t woken_together = 4;  // what late_wakes has room for
constexpr const char* request_wait = "jobs: wait for the store";

}  // namespace

void turn_queue::enqueue(request& asked) noexcept {
  (last_ != nullptr ? last_->next_ : first_) = &asked;
  last_ = &asked;
  if (!writer_.empty()) writer_.serve_front();
}

void turn_queue::withdraw(request& asked) noexcept {
  request* previous = nullptr;
  request* one = first_;
  while (one != &asked) previous = std::exchange(one, one->next_);
  (previous != nullptr ? previous->next_ : first_) = asked.next_;
  if (last_ == &asked) last_ = previous;
}

void turn_queue::ask(request& asked) {
  weft::detail::check_cancelled(request_wait);
  const weft::detail::outside_work writer_wakes_us;
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
  if (outcome == wait_outcome::cancelled && asked.step_ == request::step::queued) {
    withdraw(asked);
    lock.unlock();
    weft::detail::throw_cancelled(request_wait);
  }
  if (asked.step_ != request::step::finished) {
    wait_in(callers_, asked.caller_, lock, no_deadline, request_wait, false);
  }
  lock.unlock();
  if (asked.error) std::rethrow_exception(asked.error);
}

bool turn_queue::wait(weft::steady_time until) {
  guard lock(lock_);
  if (first_ == nullptr && !closed_ && !nudged_) {
    weft::detail::waiter self;
    wait_in(writer_, self, lock, until, "jobs: wait for requests", false);
  }
  nudged_ = false;
  return !closed_ || first_ != nullptr;
}

void turn_queue::take(std::vector<request*>& taken) {
  taken.clear();
  {
    const guard lock(lock_);
    while (first_ != nullptr && taken.size() < taken.capacity()) {
      request* const one = std::exchange(first_, first_->next_);
      one->step_ = request::step::taken;
      taken.push_back(one);
    }
    if (first_ == nullptr) last_ = nullptr;
  }
  std::stable_sort(taken.begin(), taken.end(),
                   [](const request* left, const request* right) { return left->kind < right->kind; });
}

void turn_queue::finish(std::span<request* const> done) {
  while (!done.empty()) {
    const weft::detail::late_wakes after_the_lock;
    const guard lock(lock_);
    const auto some = done.first(std::min(done.size(), woken_together));
    for (request* const one : some) {
      one->step_ = request::step::finished;
      callers_.serve(one->caller_);
    }
    done = done.subspan(some.size());
  }
}

void turn_queue::close() {
  const guard lock(lock_);
  closed_ = true;
  if (!writer_.empty()) writer_.serve_front();
}

void turn_queue::nudge() {
  const guard lock(lock_);
  nudged_ = true;
  if (!writer_.empty()) writer_.serve_front();
}

}  // namespace weft::jobs::sqlite
