#pragma once

#include <mutex>
#include <optional>

#include <weft/context/cancel_state.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

// How every primitive of weft waits. For people who build their own primitives.

namespace weft::detail {

/// One task in the line of a primitive; lives on the stack of the waiting task.
struct waiter {
  task_block* task = nullptr;
  bool served = false;   ///< guarded by the primitive's lock; set by serve()
  void* slot = nullptr;  ///< what the primitive hands over through, if anything
  waiter* next = nullptr;
  waiter* previous = nullptr;
};

/// How a wait ended.
enum class wait_outcome : unsigned char { served, timed_out, cancelled };

/// The line of tasks that wait for one thing, in order of arrival. Guarded by the primitive's lock.
class waiter_line {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  waiter* front() const noexcept { return first_; }
  std::size_t size() const noexcept { return size_; }
  void push_back(waiter& one) noexcept;
  void remove(waiter& one) noexcept;
  /// Takes `one` out of the line, marks it served and wakes its task. Under the lock.
  void serve(waiter& one) noexcept;
  void serve_front() noexcept { serve(*first_); }
  void serve_all() noexcept {
    while (first_ != nullptr) serve_front();
  }

 private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
  std::size_t size_ = 0;
};

/// Joins `line` and parks until `one` is served, `until` passes or the task must give up. Called
/// and left with `lock` held; when it was not served, `one` is out of the line again.
/// `what` names the wait, a literal such as "channel::pop". Throws weft::error (misuse) where a
/// no_wait_scope forbids waits.
wait_outcome wait_in(waiter_line& line, waiter& one, std::unique_lock<spin_lock>& lock, steady_time until,
                     const char* what, bool cancellable = true);

/// Throws weft::error (misuse) where a no_wait_scope forbids the wait `what`.
void require_wait_allowed(const char* what);

/// Throws weft::cancelled for the wait `what`; the task must be under cancellation.
[[noreturn]] void throw_cancelled(const char* what);

/// Throws if the task must give up: called by a wait before anything else, also when it need not wait.
inline void check_cancelled(const char* what) {
  if (current_cancel_state() != nullptr && pending_cancellation()) throw_cancelled(what);
}

}  // namespace weft::detail

namespace weft {

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

}  // namespace weft
