#include <weft/context/wait.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>

#include <weft/core/error.hpp>

namespace weft::detail {

void waiter_line::push_back(waiter& one) noexcept {
  one.next = nullptr;
  one.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &one;
  last_ = &one;
  ++size_;
}

void waiter_line::remove(waiter& one) noexcept {
  (one.previous != nullptr ? one.previous->next : first_) = one.next;
  (one.next != nullptr ? one.next->previous : last_) = one.previous;
  --size_;
}

void waiter_line::serve(waiter& one) noexcept {
  remove(one);
  one.served = true;
  one.task->unpark();
}

void require_wait_allowed(const char* what) {
  const char* const place = task_block::current().no_wait;
  if (place == nullptr) return;
  throw error(errc::misuse, std::string(what) + ": this would wait inside " + place +
                                ", where waiting is not allowed; do it before or after");
}

namespace {

/// Wakes a task that waits in the context of another one, when that is cancelled: the state in force
/// knows only the task that made it.
class borrowed_state final : public cancel_state {
 public:
  borrowed_state(cancel_state* in_force, task_block* task) noexcept
      : cancel_state(in_force, no_deadline, task) {}
  borrowed_state(const borrowed_state&) = delete;
  borrowed_state& operator=(const borrowed_state&) = delete;
  ~borrowed_state() override { finish(); }

 private:
  void destroy() noexcept override {}  // lives on the stack of the wait
};

}  // namespace

wait_outcome wait_in(waiter_line& line, waiter& one, std::unique_lock<spin_lock>& lock, steady_time until,
                     const char* what, bool cancellable) {
  task_block& task = task_block::current();
  require_wait_allowed(what);
  // A destructor that waits while an exception unwinds must not throw another one.
  const bool may_throw = cancellable && std::uncaught_exceptions() == 0;
  cancel_state* const state = may_throw ? current_cancel_state() : nullptr;
  std::optional<borrowed_state> wakes_here;
  if (state != nullptr && !state->wakes(task)) wakes_here.emplace(state, &task);
  const steady_time bound = state == nullptr ? until : std::min(until, state->deadline());
  one.task = &task;
  line.push_back(one);
  task.waits_for.store(what, std::memory_order_relaxed);
  wait_outcome outcome = wait_outcome::served;
  while (!one.served) {
    // A state that has ended is not marked any more; what is borrowed from it hangs below those around it.
    if (state != nullptr && (pending_cancellation() || (wakes_here && wakes_here->requested()))) {
      outcome = wait_outcome::cancelled;
      break;
    }
    lock.unlock();
    const bool woken = task.park_until(bound);
    lock.lock();
    if (!woken && !one.served && bound == until) {
      outcome = wait_outcome::timed_out;
      break;
    }
  }
  task.waits_for.store(nullptr, std::memory_order_relaxed);
  if (outcome != wait_outcome::served) line.remove(one);
  return outcome;
}

void throw_cancelled(const char* what) {
  const auto reason = pending_cancellation();
  throw cancelled(reason.value_or(cancel_reason::requested), what);
}

}  // namespace weft::detail
