#include <weft/executor/executor.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/failure.hpp>
#include <weft/core/task_block.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/executor/common_pool.hpp>
#include <weft/log/log.hpp>

#include "executor/uncaught.hpp"

namespace weft::inline v1 {
namespace detail {
namespace {

const running_place* innermost() noexcept {
  const task_block* const task = task_block::current_or_null();
  return task == nullptr ? nullptr : task->place;
}

}  // namespace

bool is_inside(const running_place* place) noexcept {
  for (const auto* at = innermost(); at != nullptr; at = at->around) {
    if (at == place) return true;
  }
  return false;
}

bool is_inside(const executor_core& on) noexcept {
  for (const auto* at = innermost(); at != nullptr; at = at->around) {
    if (at->on == &on) return true;
  }
  return false;
}

void run_work(executor_core& on, executor_task& task) noexcept {
  task_block& self = task_block::current();
  running_place here{.on = &on, .task = &task, .around = self.place};
  if (self.place != nullptr) here.depth = self.place->depth + 1;
  self.place = &here;
  try {
    task.work();
  } catch (const cancelled&) {
    // It gave up as it was asked to.
  } catch (...) {
    on.report_uncaught({.error = std::current_exception(),
                        .executor = on.name(),
                        .name = task.options.name,
                        .submitted_at = task.submitted_at});
  }
  self.place = here.around;
}

void end_work(executor_task& task) noexcept {
  const context::attachment in_root{context()};
  task.work.reset();
}

void run_task(executor_core& on, executor_task& task) noexcept {
  {
    const context::attachment here(std::move(task.context));
    const cancel_scope wakes_its_waits;
    run_work(on, task);
  }
  end_work(task);
}

}  // namespace detail

bool executor_core::is_held_up_by_caller() const noexcept {
  return concurrency() == 1 && detail::is_inside(*this);
}

void executor_core::report_uncaught(const failed_task& what) noexcept { detail::report_failed_task(what); }

executor current_executor() {
  const detail::running_place* here = detail::innermost();
  while (here != nullptr && (here->on == nullptr || !here->on->takes_tasks())) here = here->around;
  if (here == nullptr) return common_pool();
  return executor(here->on->shared_from_this());
}

}  // namespace weft::inline v1
