#include <weft/fiber/scope.hpp>

#include <mutex>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>

#include "fiber/uncaught.hpp"

// How a scope is kept. lock_ guards the numbers and lines of a scope; children of all threads take it.
//
// A child has its place (running_) from before it is made until nothing of it is left; giving the place
// back, under lock_, is the last touch of the scope, and the owner leaves join() or the destructor only
// after it has seen running_ == 0 under that lock.
//
// Cancelling marks the scope's part of the cancel tree, in which almost all children are. A child that
// was started in another context, or from inside a shield, is not: while its function runs it stands in
// the line of outsiders. It joins the line before it looks whether the scope is cancelled, and who
// cancels marks the scope before he walks the line, so one of both sees the other.

namespace weft::inline v1 {

namespace detail {
void scope_child::wait_over() {
  try {
    wait_done(no_deadline);
  } catch (const cancelled&) {
    if (of_.is_mine() && of_.has_failed()) of_.join();
    throw;
  }
}

void scope_child::watch() noexcept { set_watcher(of_); }

void scope_child::function_over() noexcept { of_.function_over(*this); }

}  // namespace detail

scope::scope(scope_options options) : options_(options), owner_id_(detail::task_block::current().id()) {
  if (options_.width_max > 0) return;
  throw error(errc::invalid_argument, "scope: width_max = 0 lets no child run; leave it out for no limit");
}

scope::~scope() {
  if (running() > 0) {
    cancel_all(cancel_reason::sibling);
    wait_all_shielded();
  }
  while (auto* const one = failed_.pop_front()) hand_on(*one);
  while (auto* const one = suppressed_.pop_front()) hand_on(*one);
}

// Places.

void scope::take_place() {
  if (options_.width_max != SIZE_MAX) detail::check_cancelled("scope::go");
  task_lock lock(lock_);
  if (running_ < options_.width_max && wants_place_.empty()) {
    ++running_;
    return;
  }
  detail::waiter self;
  if (detail::wait_in(wants_place_, self, lock, no_deadline, "scope::go") == detail::wait_outcome::served) {
    return;  // with the place of a child that is over
  }
  lock.unlock();
  detail::throw_cancelled("scope::go");
}

bool scope::try_take_place() noexcept {
  const std::lock_guard lock(lock_);
  if (running_ >= options_.width_max || !wants_place_.empty()) return false;
  ++running_;
  return true;
}

void scope::fiber_over() noexcept {
  const std::lock_guard lock(lock_);
  if (!wants_place_.empty()) {
    wants_place_.serve_front();
    return;
  }
  if (--running_ == 0) joins_.serve_all();
}

std::size_t scope::running() const noexcept {
  const std::lock_guard lock(lock_);
  return running_;
}

// Children.

void scope::spawn(detail::scope_child* child_ref) {
  try {
    detail::spawn(child_ref);
  } catch (...) {
    remove_outsider(*child_ref);  // the handle still has it
    throw;
  }
}

void scope::add_outsider(detail::scope_child& child) noexcept {
  {
    const std::lock_guard lock(lock_);
    child.is_outsider_ = true;
    child.previous_outsider_ = nullptr;
    child.next_outsider_ = outsiders_;
    if (outsiders_ != nullptr) outsiders_->previous_outsider_ = &child;
    outsiders_ = &child;
  }
  if (cancel_.is_cancelled()) child.cancel(cancel_reason::sibling);
}

void scope::remove_outsider(detail::scope_child& child) noexcept {
  const std::lock_guard lock(lock_);
  if (!child.is_outsider_) return;
  child.is_outsider_ = false;
  (child.previous_outsider_ != nullptr ? child.previous_outsider_->next_outsider_ : outsiders_) =
      child.next_outsider_;
  if (child.next_outsider_ != nullptr) child.next_outsider_->previous_outsider_ = child.previous_outsider_;
}

void scope::function_over(detail::scope_child& child) noexcept {
  remove_outsider(child);
  const std::exception_ptr error = child.failure();
  if (error == nullptr) return;
  // A child that gave up because it was asked to has not failed.
  if (detail::holds_exception<cancelled>(error) && (child.requested() || cancel_.is_cancelled())) {
    const std::lock_guard lock(lock_);
    child_gave_up_ = true;
    return;
  }
  if (options_.on_error == child_errors::to_handles && !detail::holds_exception<exit_exception>(error)) {
    child.error_is_handles_ = true;
  } else {
    keep_failure(child, error);
  }
}

void scope::keep_failure(detail::scope_child& child, const std::exception_ptr& error) noexcept {
  const bool exits = detail::holds_exception<exit_exception>(error);
  child.failed_in_ = context::current();
  child.retain();
  bool kept = true;
  {
    const std::lock_guard lock(lock_);
    ++failures_;
    kept = exits || failed_kept_ < failed_kept_max;
    if (kept) {
      ++failed_kept_;
      failed_.push_back(child);
    }
  }
  if (!kept) hand_on(child);
  if (exits || options_.on_error == child_errors::cancel_siblings) cancel_all(cancel_reason::sibling);
}

void scope::hand_on(detail::scope_child& failed) noexcept {
  {
    const context::attachment its_context(std::exchange(failed.failed_in_, {}));
    detail::hand_on_uncaught({.error = failed.failure(), .fiber_id = failed.id(), .name = failed.name()});
  }
  failed.release();
}

std::size_t scope::failures() const noexcept {
  const std::lock_guard lock(lock_);
  return failures_;
}

bool scope::has_failed() const noexcept {
  const std::lock_guard lock(lock_);
  return !failed_.empty();
}

std::vector<child_error> scope::take_suppressed() {
  std::vector<child_error> taken;
  taken.reserve(failed_kept_max);
  while (auto* const one = suppressed_.pop_front()) {
    taken.push_back({one->failure(), one->id(), std::string(one->name())});
    one->failed_in_ = {};
    one->release();
  }
  return taken;
}

// Cancelling.

void scope::cancel(cancel_reason reason) noexcept {
  {
    const std::lock_guard lock(lock_);
    cancelled_here_ = true;
  }
  cancel_all(reason);
}

void scope::cancel_all(cancel_reason reason) noexcept {
  cancel_.cancel(reason);
  const std::lock_guard lock(lock_);
  for (auto* one = outsiders_; one != nullptr; one = one->next_outsider_) one->cancel(reason);
}

bool scope::is_mine() const noexcept { return owner_id_ == detail::task_block::current().id(); }

// The end.

void scope::join() { join_until(no_deadline); }

bool scope::join_until(steady_time until) {
  bool gave_up = false;
  if (!wait_all(until, gave_up)) return false;
  throw_outcome(gave_up);
  return true;
}

/// False when `until` passed first. Cancelled, it cancels the children and waits for them all the same.
bool scope::wait_all(steady_time until, bool& gave_up) {
  auto reason = detail::pending_cancellation();
  if (!reason) {
    task_lock lock(lock_);
    if (running_ == 0) return true;
    detail::waiter self;
    const auto outcome = detail::wait_in(joins_, self, lock, until, "scope::join");
    if (outcome == detail::wait_outcome::timed_out) return false;
    if (outcome == detail::wait_outcome::served) return true;
    lock.unlock();
    reason = detail::pending_cancellation();
  }
  gave_up = true;
  cancel_all(reason.value_or(cancel_reason::requested));
  wait_all_shielded();
  return true;
}

void scope::wait_all_shielded() {
  task_lock lock(lock_);
  while (running_ > 0) {
    detail::waiter self;
    detail::wait_in(joins_, self, lock, no_deadline, "the end of a scope", false);
  }
}

/// The child whose error is thrown: the first that exits, else the first; the others become suppressed_.
detail::scope_child* scope::take_first_failed() noexcept {
  detail::failed_line all;
  {
    const std::lock_guard lock(lock_);
    failed_kept_ = 0;
    std::swap(all, failed_);
  }
  detail::scope_child* chosen = nullptr;
  while (auto* const one = all.pop_front()) {
    if (chosen == nullptr) {
      chosen = one;
    } else if (detail::holds_exception<exit_exception>(one->failure()) &&
               !detail::holds_exception<exit_exception>(chosen->failure())) {
      suppressed_.push_back(*std::exchange(chosen, one));
    } else {
      suppressed_.push_back(*one);
    }
  }
  return chosen;
}

/// All children are over: the scope is as new, and throws what came of it.
void scope::throw_outcome(bool gave_up) {
  task_lock lock(lock_);
  const bool by_us = std::exchange(cancelled_here_, false) || !failed_.empty();
  const bool child_gave_up = std::exchange(child_gave_up_, false);
  lock.unlock();
  cancel_.reset();
  if (auto* const failed = take_first_failed()) {
    const std::exception_ptr error = failed->failure();
    failed->failed_in_ = {};
    failed->release();
    std::rethrow_exception(error);
  }
  // What asked us to give up, if it was not the scope itself, asks still. Where it asked the children,
  // and they were faster, what they should have done is missing all the same.
  if (by_us && !cancel_.is_cancelled()) return;
  if (gave_up || (child_gave_up && detail::pending_cancellation())) detail::throw_cancelled("scope::join");
}

void scope::leave_by(const std::exception_ptr& thrown) {
  const bool was_failed = has_failed();
  cancel_all(cancel_reason::sibling);
  wait_all_shielded();
  auto* const failed = take_first_failed();
  if (failed == nullptr) std::rethrow_exception(thrown);
  const std::exception_ptr error = failed->failure();
  const bool takes_over = detail::holds_exception<exit_exception>(error) || was_failed ||
                          detail::holds_exception<cancelled>(thrown);
  if (!takes_over || detail::holds_exception<exit_exception>(thrown)) {
    suppressed_.push_back(*failed);
    std::rethrow_exception(thrown);
  }
  failed->failed_in_ = {};
  failed->release();
  if (!detail::holds_exception<cancelled>(thrown)) detail::hand_on_uncaught(thrown);
  std::rethrow_exception(error);
}

}  // namespace weft::inline v1
