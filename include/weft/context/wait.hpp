#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

#include <weft/context/cancel_state.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/late_wakes.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

// How every primitive of weft waits. For people who build their own primitives.
//
// A task that must wait puts a `waiter`, which lies on its own stack, at the end of the primitive's line,
// gives the primitive's lock back and parks. Whoever serves it holds that lock: takes the waiter out of
// the line, unparks its task and, as his last touch of the waiter, sets `served`. A woken task that sees
// `served` and finds the lock free, if only for a moment, knows that its server has left both; otherwise it
// takes the lock and looks again. So nobody touches the frame or the task of a waiter that has gone on,
// the primitive may be destroyed as soon as the last wait at it has returned, and a value that was handed
// over is never lost to a bound or a cancellation of the same moment. Permits may be left over from earlier
// waits, so the task looks again after each.
//
// A select stands in several lines at once, under several locks. Its waiters share a `select_ticket`, and
// who wants to serve one of them must claim the ticket first: see select_case.hpp.

namespace weft::inline v1::detail {

struct waiter;

/// The word that the waiters of one select share: which of them was chosen. Set once.
class select_ticket {
 public:
  /// True for the first who asks, under the lock of the line that `by` stands in, or as the select itself.
  bool claim(waiter& by) noexcept {
    waiter* nobody = nullptr;
    return chosen_.compare_exchange_strong(nobody, &by, std::memory_order_acq_rel);
  }
  waiter* chosen() const noexcept { return chosen_.load(std::memory_order_acquire); }

 private:
  atomic<waiter*> chosen_{nullptr};
};

/// One task in the line of a primitive; lives on the stack of the waiting task. All but `served` is
/// guarded by the primitive's lock while it is in the line.
struct waiter {
  task_block* task = nullptr;
  void* slot = nullptr;  ///< what the primitive hands over through, if anything
  waiter* next = nullptr;
  waiter* previous = nullptr;
  select_ticket* ticket = nullptr;  ///< of a select; null for a plain wait
  bool listed = false;              ///< is it in a line?
  atomic<bool> served{false};       ///< set by serve(), which does not touch the waiter afterwards
};

/// How a wait ended.
enum class wait_outcome : unsigned char { served, timed_out, cancelled };

/// The line of tasks that wait for one thing, in order of arrival. Guarded by the primitive's lock.
///
/// A ring: the last one is before the first. So the line itself is small, and every fiber has one.
class waiter_line {
 public:
  /// Without the lock: a guess.
  bool empty() const noexcept { return front() == nullptr; }
  waiter* front() const noexcept { return first_.load(std::memory_order_relaxed); }
  waiter* back() const noexcept {
    waiter* const first = front();
    return first != nullptr ? first->previous : nullptr;
  }
  /// The one behind `one`, which is in the line; null behind the last.
  waiter* behind(const waiter& one) const noexcept { return one.next != front() ? one.next : nullptr; }
  /// Counts also selects that were just served elsewhere and have not left yet.
  std::size_t size() const noexcept { return size_; }

  void push_back(waiter& one) noexcept {
    one.listed = true;
    if (waiter* const first = front()) {
      one.next = first;
      one.previous = first->previous;
      first->previous->next = &one;
      first->previous = &one;
    } else {
      one.next = one.previous = &one;
      first_.store(&one, std::memory_order_relaxed);
    }
    ++size_;
  }
  void remove(waiter& one) noexcept {
    one.previous->next = one.next;
    one.next->previous = one.previous;
    if (--size_ == 0) {
      first_.store(nullptr, std::memory_order_relaxed);
    } else if (front() == &one) {
      first_.store(one.next, std::memory_order_relaxed);
    }
    one.listed = false;
  }

  /// The first waiter that can still be served, null without one. The caller must serve() it, having
  /// handed over what there is to hand over, before he gives the lock back. Selects that were served
  /// elsewhere fall out of the line.
  waiter* claim_front() noexcept {
    waiter* one = front();
    while (one != nullptr && one->ticket != nullptr && !one->ticket->claim(*one)) {
      remove(*one);
      one = front();
    }
    return one;
  }
  /// Takes `one`, which is claimed if it belongs to a select, out of the line and wakes its task.
  void serve(waiter& one) noexcept {
    remove(one);
    one.task->unpark();
    one.served.store(true, std::memory_order_release);
  }
  /// Serves who waits longest; false: nobody does.
  bool serve_front() noexcept {
    waiter* const one = claim_front();
    if (one != nullptr) serve(*one);
    return one != nullptr;
  }
  void serve_all() noexcept {
    while (serve_front()) {
    }
  }

 private:
  atomic<waiter*> first_{nullptr};
  std::uint32_t size_ = 0;
};

/// Joins `line` and parks until `one` is served, `until` passes or the task must give up. Called
/// and left with `lock` held; when it was not served, `one` is out of the line again.
/// `what` names the wait, a literal such as "channel::pop". Throws weft::error (misuse) where a
/// no_wait_scope forbids waits.
wait_outcome wait_in(waiter_line& line, waiter& one, std::unique_lock<spin_lock>& lock, steady_time until,
                     const char* what, bool cancellable = true);

/// As wait_in, but gives `lock` back, and does not take it again where it was served in time: cheaper
/// for those who have nothing more to look at under it. `task` is the running one.
wait_outcome wait_and_leave(task_block& task, waiter_line& line, waiter& one,
                            std::unique_lock<spin_lock>& lock, steady_time until, const char* what,
                            bool cancellable = true);

[[noreturn]] void throw_wait_refused(const task_block& task, const char* what);

/// Throws weft::error (misuse) where a no_wait_scope forbids the wait `what`. `task` is the running one.
inline void require_wait_allowed(const task_block& task, const char* what) {
  if (task.no_wait != nullptr) throw_wait_refused(task, what);
}
inline void require_wait_allowed(const char* what) { require_wait_allowed(task_block::current(), what); }

/// Throws weft::cancelled for the wait `what`; the task must be under cancellation.
[[noreturn]] void throw_cancelled(const char* what);

/// Throws if `state` asks to give up now.
void check_cancelled_by(const cancel_state& state, const char* what);

/// Throws if the task must give up: called by a wait before anything else, also when it need not wait.
/// In a simulation another task may get its turn first. `task` is the running one.
inline void check_cancelled(const task_block& task, const char* what) {
  scheduling_point(what);
  const cancel_state* const state = cancel_state_of(task);
  if (state != nullptr && !state->is_quiet()) check_cancelled_by(*state, what);
}
inline void check_cancelled(const char* what) { check_cancelled(task_block::current(), what); }

}  // namespace weft::inline v1::detail

namespace weft::inline v1 {

/// Code in which the task must not wait (a transaction, a signal-like callback): a wait inside fails
/// at once with weft::error (misuse) that names `place`, a literal, and the wait.
class [[nodiscard]] no_wait_scope {
 public:
  explicit no_wait_scope(const char* place) noexcept
      : task_(detail::task_block::current()), former_(task_.no_wait) {
    task_.no_wait = place;
  }
  no_wait_scope(const no_wait_scope&) = delete;
  no_wait_scope& operator=(const no_wait_scope&) = delete;
  ~no_wait_scope() { task_.no_wait = former_; }

 private:
  detail::task_block& task_;
  const char* former_;
};

}  // namespace weft::inline v1
