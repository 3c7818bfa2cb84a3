#include "fiber/loop_executor.hpp"

#include <mutex>
#include <source_location>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>
#include <weft/fiber/fiber.hpp>

#include "fiber/scheduler.hpp"
#include "fiber/uncaught.hpp"

namespace weft::inline v1::detail {

scheduler* loop_executor::loop_if_home() const noexcept {
  const std::lock_guard lock(lock_);
  return loop_ != nullptr && loop_->is_home() ? loop_ : nullptr;
}

void loop_executor::post(executor_task task) {
  scheduling_point("executor::post");
  if (scheduler* const here = loop_if_home()) {
    start(*here, std::move(task));
    return;
  }
  std::unique_lock lock(lock_);
  if (loop_ == nullptr) {
    lock.unlock();
    throw error(errc::closed, "executor: post to the loop of a run that has ended");
  }
  coming_.push_back(std::move(task));
  if (coming_.size() > 1) return;
  try {
    loop_->post([keep = shared_from_this(), this] { start_coming(); });
  } catch (...) {
    task = std::move(coming_.back());
    coming_.clear();
    lock.unlock();
    throw;
  }
}

void loop_executor::start(scheduler& on, executor_task task) {
  fiber_origin origin{.context = std::move(task.context), .made_at = task.submitted_at};
  origin.name = task.options.name;
  auto body = [keep = shared_from_this(), held = std::move(task)]() mutable {
    run_work(*keep, held);
    end_work(held);
  };
  auto* const fiber = new fiber_body<void, decltype(body)>(origin, std::move(body));
  fiber->mark_observed();
  try {
    on.add(*fiber, true);
  } catch (...) {
    fiber->discard();
    fiber->release();
    throw;
  }
  fiber->release();
}

/// On the loop's stack.
void loop_executor::start_coming() noexcept {
  std::vector<executor_task> coming;
  scheduler* here = nullptr;
  {
    const std::lock_guard lock(lock_);
    coming.swap(coming_);
    here = loop_;
  }
  for (executor_task& one : coming) {
    const std::source_location from = one.submitted_at;
    try {
      start(*here, std::move(one));
    } catch (...) {
      executor_core::report_uncaught(
          {.error = std::current_exception(), .executor = name(), .name = {}, .submitted_at = from});
    }
  }
}

void loop_executor::report_uncaught(const failed_task& what) noexcept {
  if (loop_if_home() != nullptr && task_block::current().is_fiber()) {
    hand_on_uncaught(what.error);
  } else {
    executor_core::report_uncaught(what);
  }
}

void loop_executor::close() noexcept {
  std::vector<executor_task> dropped;
  {
    const std::lock_guard lock(lock_);
    loop_ = nullptr;
    dropped.swap(coming_);
  }
  for (executor_task& one : dropped) end_work(one);
}

}  // namespace weft::inline v1::detail
