#pragma once

#include <cstdint>
#include <string_view>

#include <weft/core/task_block.hpp>
#include <weft/fiber/permit.hpp>

#include "interleaving/explorer.hpp"

namespace weft::detail {

/// A task of an execution: parks as a fiber does. The explorer's thread runs it while it lives there.
class explored_task : public task_block {
 public:
  /// When the bound of a wait passes: at any time; or when nobody can go on, and else at the price of a
  /// preemption, which leaves fewer orders.
  enum class bounds : unsigned char { at_any_time, seldom };

  explicit explored_task(bounds pass = bounds::at_any_time)
      : task_block(next_task_id(), true), bounds_(pass), former_(running_task) {
    running_task = this;
  }
  explored_task(const explored_task&) = delete;
  explored_task& operator=(const explored_task&) = delete;
  virtual ~explored_task() { running_task = former_; }

  /// A bound that is not no_deadline passes at some time, which the explorer picks.
  bool park_until(steady_time until) override {
    if (permit_.try_take()) return true;
    if (!permit_.park()) {
      permit_.take();
      return true;
    }
    const auto made_ready = [this] { return ready_; };
    if (until == no_deadline) {
      explore::block_until(made_ready, "suspend");
    } else if (bounds_ == bounds::seldom) {
      explore::wait_bounded(made_ready, "suspend with a bound");
    } else {
      explore::stand_back("suspend with a bound");
    }
    const bool in_time = ready_;
    if (!in_time) unpark();  // as the timer does
    ready_ = false;
    permit_.take();
    return in_time;
  }

  void unpark() noexcept override {
    if (!permit_.give()) return;
    explore::check(!ready_, "a task is made ready twice");
    ready_ = true;
  }

  std::string_view name() const noexcept override { return "explored"; }

 private:
  permit permit_;
  bool ready_ = false;
  const bounds bounds_;
  task_block* former_;
};

}  // namespace weft::detail
