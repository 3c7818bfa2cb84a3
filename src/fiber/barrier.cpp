#include <weft/fiber/barrier.hpp>

#include <string>
#include <utility>

#include <weft/context/context.hpp>

#include "fiber/contract.hpp"

// The protocol.
//
// Phases are numbered from 0; ended_ of them have ended. Phase n is open for arrivals from the last arrival
// of phase n - 1 on. So while the completion function of a phase runs, outside guard_, the next phase is
// open already: completing_ says so, and an arrival then belongs to phase ended_ + 1.
//
// The one that makes missing_ zero ends the phase. If completing_ is set it leaves that to the task that runs
// the completion function, which looks again when it has done with its own phase; so phases end one after
// the other, and on_phase_ has one user.
//
// A waiter's slot leads to the number of its phase. Those of an ended phase are served wherever they stand in
// line, because a task may arrive for a phase and begin to wait for it much later.

namespace weft::inline v1 {

barrier::barrier(std::size_t expected, unique_function<void()> on_phase)
    : expected_(expected), missing_(expected) {
  if (on_phase) on_phase_ = bind(std::move(on_phase));
}

barrier::arrival barrier::arrive(std::size_t arrivals) {
  guard_lock guard(guard_);
  return arrival(count(guard, arrivals, "barrier::arrive"));
}

void barrier::arrive_and_drop() {
  guard_lock guard(guard_);
  if (missing_ > 0) --expected_;  // else count() finds the breach
  count(guard, 1, "barrier::arrive_and_drop");
}

/// The phase of the arrival. Leaves `guard` released if that was the last one.
std::uint64_t barrier::count(guard_lock& guard, std::size_t arrivals, const char* call) {
  if (arrivals > missing_) {
    detail::contract_broken(call, detail::describe(detail::task_block::current()) + ": " +
                                      std::to_string(arrivals) + " arrivals where the phase lacks " +
                                      std::to_string(missing_));
  }
  const std::uint64_t phase = ended_ + (completing_ ? 1 : 0);
  missing_ -= arrivals;
  if (missing_ == 0 && arrivals > 0 && !completing_) end_phases(guard);
  return phase;
}

void barrier::end_phases(guard_lock& guard) {
  completing_ = true;
  std::exception_ptr error;
  bool again = true;
  while (again) {
    const std::size_t participants = missing_ = expected_;
    guard.unlock();
    const std::exception_ptr thrown = complete();
    if (error == nullptr) error = thrown;
    guard.lock();
    ++ended_;
    serve_ended();
    again = participants > 0 && missing_ == 0;
  }
  completing_ = false;
  guard.unlock();
  if (error != nullptr) std::rethrow_exception(error);
}

std::exception_ptr barrier::complete() noexcept {
  try {
    if (on_phase_) on_phase_();
    return nullptr;
  } catch (...) {  // given to the one that arrived last, when the others have gone on
    return std::current_exception();
  }
}

namespace {

std::uint64_t phase_of(const detail::waiter& one) noexcept {
  return *static_cast<const std::uint64_t*>(one.slot);
}

}  // namespace

void barrier::serve_ended() noexcept {
  for (detail::waiter* one = waiters_.front(); one != nullptr;) {
    detail::waiter* const next = waiters_.behind(*one);
    if (phase_of(*one) < ended_) waiters_.serve(*one);
    one = next;
  }
}

bool barrier::wait_ended(std::uint64_t phase, steady_time until) {
  detail::check_cancelled("barrier::wait");
  guard_lock guard(guard_);
  if (phase < ended_) return true;
  detail::waiter self;
  self.slot = &phase;
  const auto outcome = detail::wait_in(waiters_, self, guard, until, "barrier::wait");
  guard.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled("barrier::wait");
  return outcome == detail::wait_outcome::served;
}

std::size_t barrier::missing() const noexcept {
  const std::lock_guard guard(guard_);
  return missing_;
}

std::size_t barrier::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

}  // namespace weft::inline v1
