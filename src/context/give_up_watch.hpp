#pragma once

#include <algorithm>
#include <exception>
#include <optional>

#include <weft/context/cancel_state.hpp>

namespace weft::inline v1::detail {

/// Wakes a task that waits in the context of another one, when that is cancelled: the state in force
/// knows only the task that made it.
class borrowed_state final : public cancel_state {
 public:
  borrowed_state(cancel_state* in_force, task_block& task) noexcept : cancel_state(in_force, no_deadline) {
    join_tree(task);
  }
  borrowed_state(const borrowed_state&) = delete;
  borrowed_state& operator=(const borrowed_state&) = delete;
  ~borrowed_state() override { finish(); }

 private:
  void destroy() noexcept override {}  // lives on the stack of the wait
};

/// What may end a wait of `task`, the running one, from outside: cancellation and the deadline of its
/// context. While it lives, a cancellation unparks the task. A wait that is no cancellation point is
/// not ended, nor one in a destructor that runs while an exception unwinds: it must not throw another.
class give_up_watch {
 public:
  give_up_watch(task_block& task, bool cancellable) noexcept
      : state_(cancellable ? cancel_state_of(task) : nullptr) {
    if (state_ == nullptr) return;
    if (!state_->is_quiet() && std::uncaught_exceptions() > 0) {
      state_ = nullptr;
    } else if (!state_->wakes(task)) {
      wakes_here_.emplace(state_, task);
    }
  }

  /// The earlier of `until` and the deadline of the context.
  steady_time bound(steady_time until) const noexcept {
    return state_ == nullptr ? until : std::min(until, state_->deadline());
  }
  bool must_give_up() const noexcept {
    return state_ != nullptr && !state_->is_quiet() && pending_cancellation(*state_);
  }

 private:
  cancel_state* state_;
  std::optional<borrowed_state> wakes_here_;
};

}  // namespace weft::inline v1::detail
