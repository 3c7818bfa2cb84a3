#include "fiber/uncaught.hpp"

#include <weft/core/failure.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>

#include "fiber/runtime.hpp"
#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr int status_uncaught = 255;

void log_it(const uncaught_error& what) {
  log::critical(
      "a fiber ended with an error that nobody joins",
      {{"fiber", what.fiber_id}, {"name", what.name}, {"error", failure::from(what.error).chain()}});
}

}  // namespace

void report_uncaught(const uncaught_error& what) noexcept {
  if (holds_exception<unwinding>(what.error)) return;
  scheduler* const here = scheduler::current();
  try {
    if (here != nullptr && here->options().on_uncaught) {
      here->options().on_uncaught(what);
    } else {
      log_it(what);
    }
  } catch (...) {
    log_it(what);  // the handler failed; the error must not vanish with it
  }
  if (here != nullptr && here->options().uncaught == uncaught_policy::stop) {
    here->of().end(std::make_exception_ptr(exit_exception(status_uncaught, true, false)),
                   cancel_reason::shutdown);
  }
}

void hand_on_uncaught(const uncaught_error& what) noexcept {
  scheduler* const here = scheduler::current();
  if (here != nullptr && holds_exception<exit_exception>(what.error) && !in_server.value_or(false)) {
    here->of().end(what.error, cancel_reason::shutdown);
  }
  report_uncaught(what);
}

void hand_on_uncaught(const std::exception_ptr& thrown) noexcept {
  const task_block& task = task_block::current();
  hand_on_uncaught({.error = thrown, .fiber_id = task.id(), .name = task.name()});
}

}  // namespace weft::inline v1::detail
