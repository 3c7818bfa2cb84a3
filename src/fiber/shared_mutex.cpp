#include <weft/fiber/shared_mutex.hpp>

#include <mutex>

#include "fiber/contract.hpp"

// The protocol.
//
// state_ has three parts: `lock_wanted` while tasks are in line, `exclusive` while a writer has it, and above
// them the writer's id or the number of readers. So the compare-and-exchange of unlock() checks the owner.
//   free -> writer, reader + 1   while nobody waits, by compare-and-exchange, without guard_
//   writer -> free               the writer, by compare-and-exchange, without guard_; fails if `lock_wanted`
//   reader - 1                   by compare-and-exchange, without guard_; not the last one if `lock_wanted`
//   the last reader, or the writer, leaves while tasks wait: under guard_; it admits the next ones
//   `lock_wanted` set            by a task that is about to join the line, under guard_
//   `lock_wanted` cleared        under guard_, by whoever finds the line empty
// Whenever guard_ is free, `lock_wanted` is set exactly when the line is not empty, and then its first task
// cannot be admitted: a writer behind readers, or anyone behind a writer. So newcomers cannot overtake, and
// no wake is lost. A task that leaves the line unserved admits those behind it: a writer that gives up lets
// the readers that queued up behind it join those inside.
//
// As in mutex.cpp the last touch of whoever unlocks is a compare-and-exchange, or the release of guard_,
// which those it admitted take before they go on.

namespace weft::inline v1 {
namespace {

using detail::task_block;

constexpr std::uint64_t lock_wanted = 1;
constexpr std::uint64_t exclusive = 2;
constexpr std::uint64_t one_reader = 4;

std::uint64_t written_by(const task_block& task) { return task.id() * one_reader | exclusive; }
constexpr std::uint64_t readers_in(std::uint64_t state) { return state / one_reader; }

}  // namespace

/// What a wait is called, how long it lasts, and whether it may be cancelled.
struct shared_mutex::wait_terms {
  const char* what;
  steady_time until;
  bool cancellable;
};

bool shared_mutex::take(access how) noexcept {
  task_block& me = task_block::current();
  word state = state_.load(std::memory_order_relaxed);
  if (how == access::exclusive) {
    if (state != 0 || !state_.compare_exchange_strong(state, written_by(me), std::memory_order_acquire,
                                                      std::memory_order_relaxed))
      return false;
    holder_.store(me.is_fiber() ? &me : nullptr, std::memory_order_relaxed);
    ++me.locks_held;
    return true;
  }
  while ((state & (lock_wanted | exclusive)) == 0) {
    if (state_.compare_exchange_weak(state, state + one_reader, std::memory_order_acquire,
                                     std::memory_order_relaxed))
      return true;
  }
  return false;
}

bool shared_mutex::try_lock() noexcept { return take(access::exclusive); }
bool shared_mutex::try_lock_shared() noexcept { return take(access::shared); }

void shared_mutex::lock() {
  detail::scheduling_point("shared_mutex::lock");
  if (!take(access::exclusive)) wait_admitted(access::exclusive, {"shared_mutex::lock", no_deadline, false});
}

void shared_mutex::lock_shared() {
  detail::scheduling_point("shared_mutex::lock_shared");
  if (!take(access::shared)) wait_admitted(access::shared, {"shared_mutex::lock_shared", no_deadline, false});
}

namespace {

constexpr const char* timed_exclusive = "shared_mutex::try_lock_for";
constexpr const char* timed_shared = "shared_mutex::try_lock_shared_for";

}  // namespace

bool shared_mutex::poll(access how) {
  detail::check_cancelled(how == access::exclusive ? timed_exclusive : timed_shared);
  return take(how);
}

bool shared_mutex::lock_until(access how, steady_time until) {
  return wait_admitted(how, {how == access::exclusive ? timed_exclusive : timed_shared, until, true});
}

bool shared_mutex::wait_admitted(access how, const wait_terms& terms) {
  if (terms.until == no_deadline && owned_by_caller()) detail::locked_again(terms.what, "a shared_mutex");
  detail::require_wait_allowed(terms.what);
  std::unique_lock guard(guard_);
  if (!announce_wait(how)) return true;
  detail::waiter self;
  self.slot = &how;
  const auto outcome = detail::wait_in(waiters_, self, guard, terms.until, terms.what, terms.cancellable);
  if (outcome == detail::wait_outcome::served) {
    if (how == access::exclusive) ++task_block::current().locks_held;
    return true;
  }
  admit();
  guard.unlock();
  if (outcome == detail::wait_outcome::cancelled) detail::throw_cancelled(terms.what);
  return false;
}

/// Under guard_: sees to it that who leaves looks at the line. False if there is none: `how` is granted.
bool shared_mutex::announce_wait(access how) noexcept {
  for (;;) {
    if (take(how)) return false;
    word state = state_.load(std::memory_order_relaxed);
    if ((state & lock_wanted) != 0) return true;
    if (state == 0 || (how == access::shared && (state & exclusive) == 0)) continue;
    if (state_.compare_exchange_weak(state, state | lock_wanted, std::memory_order_relaxed)) return true;
  }
}

/// Under guard_, with `lock_wanted` set: lets in whom the state allows, in order.
void shared_mutex::admit() noexcept {
  const auto wants = [](const detail::waiter& one) { return *static_cast<const access*>(one.slot); };
  // Acquires the work of readers that left without guard_.
  while (!waiters_.empty() && (state_.load(std::memory_order_acquire) & exclusive) == 0) {
    detail::waiter& next = *waiters_.front();
    if (wants(next) == access::shared) {
      state_.fetch_add(one_reader, std::memory_order_relaxed);
    } else {
      if (readers_in(state_.load(std::memory_order_acquire)) > 0) return;
      state_.store(written_by(*next.task) | lock_wanted, std::memory_order_relaxed);
      holder_.store(next.task->is_fiber() ? next.task : nullptr, std::memory_order_relaxed);
    }
    waiters_.serve_front();
  }
  if (waiters_.empty()) state_.fetch_and(~lock_wanted, std::memory_order_release);
}

void shared_mutex::unlock() noexcept {
  task_block& me = task_block::current();
  word mine = written_by(me);
  if (!state_.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed))
    unlock_slowly(me);
  --me.locks_held;
}

void shared_mutex::unlock_slowly(task_block& me) noexcept {
  for (;;) {
    const word state = state_.load(std::memory_order_relaxed);
    if ((state & ~lock_wanted) != written_by(me)) {
      if ((state & exclusive) == 0 && state != 0)
        detail::contract_broken("shared_mutex::unlock", detail::describe(me) +
                                                            " unlocks a shared_mutex that " +
                                                            std::to_string(readers_in(state)) +
                                                            " readers hold; they call unlock_shared()");
      detail::unlocked_by_stranger("shared_mutex::unlock", "a shared_mutex",
                                   holder_.load(std::memory_order_relaxed), readers_in(state));
    }
    {
      const std::lock_guard guard(guard_);
      if (!waiters_.empty()) {
        state_.store(lock_wanted, std::memory_order_release);
        return admit();
      }
    }
    word mine = written_by(me);
    if (state_.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed)) return;
  }
}

void shared_mutex::unlock_shared() noexcept {
  word state = state_.load(std::memory_order_relaxed);
  for (;;) {
    if ((state & exclusive) != 0 || readers_in(state) == 0)
      detail::contract_broken(
          "shared_mutex::unlock_shared",
          detail::describe(task_block::current()) + " unlocks a shared_mutex that no reader holds");
    if ((state & lock_wanted) != 0 && readers_in(state) == 1) {
      if (last_reader_leaves()) return;
      state = state_.load(std::memory_order_relaxed);
    } else if (state_.compare_exchange_weak(state, state - one_reader, std::memory_order_release,
                                            std::memory_order_relaxed)) {
      return;
    }
  }
}

/// False if those who waited have given up meanwhile.
bool shared_mutex::last_reader_leaves() noexcept {
  const std::lock_guard guard(guard_);
  if (waiters_.empty()) return false;
  state_.fetch_sub(one_reader, std::memory_order_acq_rel);
  admit();
  return true;
}

bool shared_mutex::owned_by_caller() const noexcept {
  return (state_.load(std::memory_order_relaxed) & ~lock_wanted) == written_by(task_block::current());
}

std::size_t shared_mutex::readers() const noexcept {
  const word state = state_.load(std::memory_order_relaxed);
  return (state & exclusive) != 0 ? 0 : readers_in(state);
}

std::size_t shared_mutex::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size();
}

}  // namespace weft::inline v1
