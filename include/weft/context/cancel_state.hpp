#pragma once

#include <optional>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/task_block.hpp>
#include <weft/core/unwinding.hpp>

// How cancellation is kept. Users read cancellation.hpp.

namespace weft::inline v1::detail {

/// One cancellable part of the task tree: a fiber, or a cancel_scope within a task.
///
/// States form a tree. Its shape (parent_, children, siblings, task_) is guarded by one lock for the
/// whole process, held for a few pointer moves; the flag and the deadline are read without it.
/// Cancelling a state marks all states below it and unparks their tasks, under that lock, so a task
/// cannot end its state and go while it is being woken. Below a marked state all are marked. A state
/// that ends hands its children to its parent, so a living tree does not keep its finished ancestors.
class cancel_state {
 public:
  /// Takes the bound of `parent` (null: a root of its own), below which it will join the tree.
  cancel_state(cancel_state* parent, steady_time until) noexcept;
  cancel_state(const cancel_state&) = delete;
  cancel_state& operator=(const cancel_state&) = delete;

  /// From here on it is cancelled with its parent, and `task` is unparked then: another thread may do so
  /// at once, so task is wholly made. Once, before cancel().
  void join_tree(task_block& task) noexcept;

  /// For one that nobody else knows yet: it is born with that many references.
  void set_references(int count) noexcept { refs_.store(count, std::memory_order_relaxed); }
  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) end_unreferenced();
  }

  /// Marks this state and all below it; the first reason of each holds. Nothing after finish().
  void cancel(cancel_reason reason) noexcept;
  /// The reason it was cancelled for, if it was; after finish() also what happened around it since.
  /// Does not look at the deadline.
  std::optional<cancel_reason> requested() const noexcept;
  /// One look tells that nothing asks to give up: not marked, not ended, no deadline.
  bool is_quiet() const noexcept {
    return mark_.load(std::memory_order_acquire) == 0 && deadline_ == no_deadline;
  }
  /// The effective deadline: the earliest of its own and its ancestors' at creation.
  steady_time deadline() const noexcept { return deadline_; }

  /// Does a cancellation of this state wake `task`?
  bool wakes(const task_block& task) const noexcept { return task_.load(std::memory_order_relaxed) == &task; }
  /// Is it `above`, or somewhere below it?
  bool is_below(const cancel_state& above) const noexcept;
  /// Asks for no more than its parent does. Those below stay as they are.
  void reset() noexcept;
  /// The part of the work is over: leaves the tree and hands its children to its parent.
  void finish() noexcept;

 protected:
  virtual ~cancel_state();

 private:
  virtual void destroy() noexcept = 0;
  void end_unreferenced() noexcept;
  unsigned char mark_in_force() const noexcept;
  void mark_subtree(unsigned char mark) noexcept;
  void link_below(cancel_state* parent) noexcept;
  void unlink() noexcept;

  static constexpr unsigned char ended_bit = 0x80;

  atomic<int> refs_{1};
  atomic<unsigned char> mark_{0};        // 0, or 1 + cancel_reason; and ended_bit, after finish()
  bool in_tree_ = false;                 // guarded by the tree lock
  bool finished_ = false;                // guarded by the tree lock
  steady_time deadline_;                 // constant after construction
  atomic<task_block*> task_{nullptr};    // written under the tree lock
  cancel_state* parent_;                 // guarded by the tree lock; owned; constant after finish()
  cancel_state* first_child_ = nullptr;  // guarded by the tree lock
  cancel_state* next_ = nullptr;         // guarded by the tree lock; siblings
  cancel_state* previous_ = nullptr;     // guarded by the tree lock
};

/// The cancel state in force for `task`, which is the running one; null if nothing can cancel it.
inline cancel_state* cancel_state_of(const task_block& task) noexcept {
  return task.context == nullptr ? nullptr : task.context->cancel;
}
/// The cancel state in force for the running task; null if nothing can cancel it.
cancel_state* current_cancel_state() noexcept;

/// The reason for which the running task's waits must end now; looks at flag and deadline. Nothing
/// while an exception is unwinding: a destructor that waits is not cancelled a second time.
std::optional<cancel_reason> pending_cancellation() noexcept;
/// The same for a task whose state in force is `state`, which is not null.
std::optional<cancel_reason> pending_cancellation(const cancel_state& state) noexcept;

/// A cancel state with the context node that puts it in force, in one allocation. The node owns the
/// reference that the state is born with.
class cancel_node : public cancel_state {
 public:
  /// A state below that of `parent_ref`, which it takes over; its node inherits those bindings.
  cancel_node(context_node* parent_ref, steady_time until) noexcept;
  ~cancel_node() override;

  /// The context in which this state is in force. Once: it takes over the node's first reference.
  context as_context() noexcept { return context::from_node(&node_); }

 protected:
  /// Keeps a context for the one derived, in room that is left; root ends that.
  void keep(context what) noexcept {
    const context former = context::from_node(std::exchange(node_.kept, what.release_node()));
  }
  context take_kept() noexcept { return context::from_node(std::exchange(node_.kept, nullptr)); }

 private:
  context_node node_;
};

/// The running task's bindings without anything that cancels.
context shielded_current();

}  // namespace weft::inline v1::detail
