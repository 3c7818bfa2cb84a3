#include <cstddef>
#include <memory>
#include <utility>

#include <weft/core/task_block.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1 {
namespace {

constexpr unsigned depth_max = 32;

/// A task that waits for the one around it.
struct deferred_task {
  executor_task task;
  std::unique_ptr<deferred_task> next = nullptr;
};

/// The place of a task that the inline executor runs, with those that came too deep inside of it.
struct inline_place : detail::running_place {
  std::unique_ptr<deferred_task> first = nullptr;
  deferred_task* last = nullptr;

  void defer(executor_task late) {
    auto one = std::make_unique<deferred_task>(deferred_task{std::move(late)});
    deferred_task* const added = one.get();
    (last != nullptr ? last->next : first) = std::move(one);
    last = added;
  }
};

/// Runs tasks where they are posted. Has no state: what is deferred is on the stack of who runs.
class inline_core final : public executor_core {
 public:
  void post(executor_task task) override {
    detail::task_block& self = detail::task_block::current();
    if (self.place != nullptr && self.place->depth >= depth_max) {
      if (inline_place* const around = innermost(self)) {
        around->defer(std::move(task));
        return;
      }
    }
    inline_place here;
    here.on = this;
    here.around = self.place;
    here.depth = self.place != nullptr ? self.place->depth + 1 : 0;
    self.place = &here;
    detail::run_task(*this, task);
    while (here.first != nullptr) {
      const auto one = std::move(here.first);
      here.first = std::move(one->next);
      if (here.first == nullptr) here.last = nullptr;
      detail::run_task(*this, one->task);
    }
    self.place = here.around;
  }
  std::string_view name() const noexcept override { return "inline"; }
  std::size_t concurrency() const noexcept override { return executor::unbounded; }
  /// What has not begun was deferred, by the caller itself or by somebody else.
  bool is_held_up_by_caller() const noexcept override { return detail::is_inside(*this); }

 private:
  /// The innermost place that is an inline_place: one has no task of its own.
  inline_place* innermost(detail::task_block& self) const noexcept {
    for (auto* at = self.place; at != nullptr; at = at->around) {
      if (at->on == this && at->task == nullptr) return static_cast<inline_place*>(at);
    }
    return nullptr;
  }
};

}  // namespace

executor inline_executor() {
  static const auto& core = *new std::shared_ptr<executor_core>(std::make_shared<inline_core>());
  return executor(core);
}

}  // namespace weft::inline v1
