#include <weft/executor/submission.hpp>

#include <string_view>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>

#include "executor/uncaught.hpp"

namespace weft::detail {

submission::submission(std::shared_ptr<executor_core> on, const task_options& options,
                       std::source_location from)
    : on_(std::move(on)), name_(options.name), from_(from) {}

void submission::refuse_wait_by_itself(const char* what) const {
  const running_place* const begun = begun_at_.load(std::memory_order_acquire);
  if (begun != nullptr ? !is_inside(begun) : !on_->is_held_up_by_caller()) return;
  const running_place* const here = task_block::current().place;
  const std::string caller =
      here->task == nullptr ? "a fiber" : describe_task(here->task->options.name, here->task->submitted_at);
  const std::string awaited = describe_task(name_, from_);
  const std::string on = " on \"" + std::string(on_->name()) + '"';
  if (begun != nullptr) {
    throw error(errc::deadlock, std::string(what) + ": " + caller + " waits inside of " + awaited + on +
                                    " for the end of that; it would wait for ever");
  }
  throw error(errc::deadlock,
              std::string(what) + ": " + caller + " waits for " + awaited + ", which is queued behind it" +
                  on +
                  " and begins only after it; let it go on by a continuation, call it here, or give the "
                  "executor another thread");
}

void submission::report(const std::exception_ptr& error) noexcept {
  if (holds_exception<cancelled>(error)) return;
  const context::attachment in_its_context(std::move(failed_in_));
  on_->report_uncaught({.error = error, .executor = on_->name(), .name = name_, .submitted_at = from_});
}

std::exception_ptr make_dropped() {
  return std::make_exception_ptr(cancelled(cancel_reason::shutdown, "executor queue"));
}

}  // namespace weft::detail
