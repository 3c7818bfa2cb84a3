#include <weft/fiber/mutex.hpp>

#include <algorithm>
#include <mutex>
#include <thread>

#include "fiber/contract.hpp"

// The protocol.
//
// owner_ is 0 while the mutex is free; else twice the id of the task that owns it, plus 1 (`mutex_wanted`)
// while others want it. So the compare-and-exchange of the fast unlock checks the owner as well.
// Tasks that want it stand in waiters_; but one that was offered it is on its way (offered_), or it came,
// found the mutex taken, and stands in first_, before all others.
//   0 -> owned                     any task, without guard_
//   owned -> 0                     the owner, without guard_; fails while `mutex_wanted` is set
//   owned -> owned by another      the owner, under guard_: hand-over to the front of first_ or waiters_,
//                                  or to the task on its way when it was overtaken overtakes_max times
//   owned -> `mutex_wanted` alone  the owner, under guard_: the mutex is free, and an offer is on its way
//   `mutex_wanted` alone -> owned  any task, without guard_: the one on its way, or one that overtakes it
//   `mutex_wanted` set             by a task that is about to join a line, under guard_
//   `mutex_wanted` cleared         under guard_, by one that leaves nobody behind who waits
// Whenever guard_ is free, `mutex_wanted` is set exactly when somebody_waits(). No wake is lost, because a
// task joins a line under guard_ after it saw or made `mutex_wanted` with an owner, who then must pass
// guard_.
//
// Who owned it touches the mutex no more once its compare-and-exchange, or its release of guard_, made it
// available; one that is served takes guard_ before it goes on. So the next owner may destroy it.
//
// Why offers beside hand-over. Within a thread hand-over costs one switch, less than to be woken in vain;
// nobody overtakes. From one thread to another it makes a convoy: nobody has the mutex from the unlock until
// the other thread comes to the fiber, microseconds if that thread sleeps, longer if it is busy, and all
// others queue up meanwhile, to be handed over to as slowly. So there the mutex is freed and the front
// of the line is woken: who runs may take it, a bounded number of times. A task that finds the mutex with a
// task of another thread, and nobody waiting, looks again for a while (spins_max) before it joins the line:
// critical sections that do not wait are over sooner than a wake takes. A fiber never spins for a task of
// its own thread, which could not run meanwhile.
//
// holder_ and holder_thread_ are hints beside owner_, written by the owner after it has the mutex: holder_
// for the message of a breach (null: a plain thread), holder_thread_ for the decision to spin.

namespace weft::inline v1 {
namespace {

using detail::task_block;
using detail::wait_outcome;

constexpr std::uint64_t mutex_wanted = 1;
constexpr int overtakes_max = 128;
#ifdef WEFT_EXPLORE
constexpr int spins_max = 1;  // as long as it takes until something has changed
#else
constexpr int spins_max = 40;
#endif

std::uint64_t owned_by(const task_block& task) { return task.id() << 1; }

/// Stands for the running thread: a fiber stays on it.
const void* this_thread_mark() noexcept { return &detail::running_task; }

bool spinning_is_in_vain() noexcept {
  static const bool one_processor = std::thread::hardware_concurrency() < 2;
  return one_processor;
}

/// A pause of the spin number `spins`; they grow.
void pause(int spins) noexcept {
  for (int i = 0; i < std::min(1 << std::min(spins, 4), 16); ++i) detail::spin_pause();
}

}  // namespace

/// What a wait is called, how long it lasts, and whether it may be cancelled.
struct mutex::wait_terms {
  const char* what;
  steady_time until;
  bool cancellable;
};

// Taking it, and waiting.

/// Takes it if it is free; `free` is 0, or `mutex_wanted` to overtake.
bool mutex::take(task_block& me, word free) noexcept {
  const word mine = owned_by(me) | free;
  if (!owner_.compare_exchange_strong(free, mine, std::memory_order_acquire, std::memory_order_relaxed))
    return false;
  note_holder(me, this_thread_mark());
  ++me.locks_held;
  return true;
}

void mutex::note_holder(const task_block& holder, const void* thread) noexcept {
  holder_.store(holder.is_fiber() ? &holder : nullptr, std::memory_order_relaxed);
  holder_thread_.store(thread, std::memory_order_relaxed);
}

void mutex::lock() {
  detail::scheduling_point("mutex::lock");
  task_block& me = task_block::current();
  if (!take(me, 0)) lock_slowly(me, {"mutex::lock", no_deadline, false});
}

bool mutex::try_lock() noexcept { return take(task_block::current(), 0); }

bool mutex::poll_lock() {
  detail::check_cancelled("mutex::try_lock_for");
  return try_lock();
}

bool mutex::lock_until(steady_time until) {
  return lock_slowly(task_block::current(), {"mutex::try_lock_for", until, true});
}

bool mutex::lock_slowly(task_block& me, const wait_terms& terms) {
  if (terms.until == no_deadline && owned_by_caller()) detail::locked_again(terms.what, "a mutex");
  return spin_until_free(me) || wait_in_line(me, terms);
}

bool mutex::spin_until_free(task_block& me) noexcept {
  for (int spins = 0; spins < spins_max; ++spins) {
    const word now = owner_.load(std::memory_order_relaxed);
    if ((now & ~mutex_wanted) == 0) {
      if (take(me, now)) return true;
    } else if ((now & mutex_wanted) != 0 ||
               holder_thread_.load(std::memory_order_relaxed) == this_thread_mark()) {
      return false;
    }
    if (spinning_is_in_vain()) return false;
    pause(spins);
  }
  return false;
}

bool mutex::wait_in_line(task_block& me, const wait_terms& terms) {
  detail::require_wait_allowed(terms.what);
  guard_lock guard(guard_);
  if (!announce_wait(me)) return true;
  detail::waiter self;
  self.slot = const_cast<void*>(this_thread_mark());
  auto outcome = detail::wait_in(waiters_, self, guard, terms.until, terms.what, terms.cancellable);
  if (offered_ == &me && accept_offer(me, guard, terms, outcome)) return true;
  if (outcome == wait_outcome::served) {
    ++me.locks_held;
    return true;
  }
  forget_waiting();
  guard.unlock();
  if (outcome == wait_outcome::cancelled) detail::throw_cancelled(terms.what);
  return false;
}

/// Under guard_: sees to it that the owner passes it on. False if there is no owner: `me` has it now.
bool mutex::announce_wait(task_block& me) noexcept {
  for (;;) {
    word now = owner_.load(std::memory_order_relaxed);
    if ((now & ~mutex_wanted) == 0) {
      if (take(me, now)) return false;
    } else if ((now & mutex_wanted) != 0 ||
               owner_.compare_exchange_weak(now, now | mutex_wanted, std::memory_order_relaxed)) {
      return true;
    }
  }
}

/// The task on its way is there. True: it has the mutex. Otherwise it has waited once more, as the first
/// of all, and `outcome` is how that ended.
bool mutex::accept_offer(task_block& me, guard_lock& guard, const wait_terms& terms, wait_outcome& outcome) {
  guard.unlock();
  watch_until_free();
  guard.lock();
  offered_ = nullptr;
  if (take_offered(me)) {
    forget_waiting();
    return true;
  }
  detail::waiter self;
  self.slot = const_cast<void*>(this_thread_mark());
  outcome = detail::wait_in(first_, self, guard, terms.until, terms.what, terms.cancellable);
  return false;
}

/// Under guard_. It may be the caller's already, who was overtaken often enough.
bool mutex::take_offered(task_block& me) noexcept {
  if (!owned_by_caller()) return take(me, mutex_wanted);
  note_holder(me, this_thread_mark());
  ++me.locks_held;
  return true;
}

void mutex::watch_until_free() const noexcept {
  for (int spins = 0; spins < spins_max && !spinning_is_in_vain() && !owned_by_caller(); ++spins) {
    if ((owner_.load(std::memory_order_relaxed) & ~mutex_wanted) == 0) return;
    if (holder_thread_.load(std::memory_order_relaxed) == this_thread_mark()) return;
    pause(spins);
  }
}

/// Under guard_: the caller waits no more.
void mutex::forget_waiting() noexcept {
  if (!somebody_waits()) owner_.fetch_and(~mutex_wanted, std::memory_order_relaxed);
}

bool mutex::somebody_waits() const noexcept {
  return offered_ != nullptr || !first_.empty() || !waiters_.empty();
}

// Passing it on.

void mutex::unlock() noexcept {
  task_block& me = task_block::current();
  holder_thread_.store(nullptr, std::memory_order_relaxed);  // not what the next owner has yet to write
  word mine = owned_by(me);
  if (!owner_.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed))
    unlock_slowly(me);
  --me.locks_held;
}

void mutex::unlock_slowly(task_block& me) noexcept {
  for (;;) {
    const word owned = owner_.load(std::memory_order_relaxed);
    if ((owned & ~mutex_wanted) != owned_by(me))
      detail::unlocked_by_stranger("mutex::unlock", "a mutex", holder_.load(std::memory_order_relaxed),
                                   owned >> 1);
    {
      const std::lock_guard guard(guard_);
      if (pass_on()) return;
    }
    // Who waited has given up.
    word mine = owned_by(me);
    if (owner_.compare_exchange_strong(mine, 0, std::memory_order_release, std::memory_order_relaxed)) return;
  }
}

/// Under guard_, which orders this owner's work before that of one that is served. False: nobody waits.
bool mutex::pass_on() noexcept {
  if (!first_.empty()) {
    hand_to_front(first_);
  } else if (offered_ != nullptr) {
    const bool enough = ++overtakes_ >= overtakes_max;
    if (enough) note_holder(*offered_, nullptr);
    owner_.store(enough ? owned_by(*offered_) | mutex_wanted : mutex_wanted, std::memory_order_release);
  } else if (waiters_.empty()) {
    return false;
  } else if (waiters_.front()->slot == this_thread_mark()) {
    hand_to_front(waiters_);
  } else {
    offered_ = waiters_.front()->task;
    overtakes_ = 0;
    owner_.store(mutex_wanted, std::memory_order_release);
    waiters_.serve_front();
  }
  return true;
}

void mutex::hand_to_front(detail::waiter_line& line) noexcept {
  const task_block& next = *line.front()->task;
  note_holder(next, line.front()->slot);
  line.serve_front();
  owner_.store(owned_by(next) | (somebody_waits() ? mutex_wanted : 0), std::memory_order_release);
}

bool mutex::owned_by_caller() const noexcept {
  return (owner_.load(std::memory_order_relaxed) & ~mutex_wanted) == owned_by(task_block::current());
}

std::size_t mutex::waiting() const noexcept {
  const std::lock_guard guard(guard_);
  return waiters_.size() + first_.size() + (offered_ != nullptr ? 1 : 0);
}

}  // namespace weft::inline v1
