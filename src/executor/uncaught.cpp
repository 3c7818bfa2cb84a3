#include "executor/uncaught.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include <weft/core/failure.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1 {
namespace {

std::mutex handler_mutex;
// Guarded by handler_mutex. Never destroyed: a task may fail until the process ends.
auto& handler_of_process = *new std::shared_ptr<const uncaught_handler>;

}  // namespace

void set_uncaught_handler(uncaught_handler handler) {
  auto now = handler ? std::make_shared<const uncaught_handler>(std::move(handler)) : nullptr;
  const std::lock_guard lock(handler_mutex);
  handler_of_process.swap(now);
}

namespace detail {

void report_uncaught_error(const char* whose, const std::exception_ptr& error) noexcept {
  if (holds_exception<unwinding>(error)) return;
  log::critical("an error was not handled", {{"in", whose}, {"error", failure::from(error).chain()}});
}

void report_failed_task(const uncaught_handler& handler, const failed_task& what) noexcept {
  try {
    if (handler) {
      handler(what);
      return;
    }
  } catch (...) {
    // The handler failed; the error must not vanish with it.
  }
  log::critical("a task failed and nobody took its error",
                {{"executor", what.executor},
                 {"task", what.name},
                 {"submitted_at", describe_task({}, what.submitted_at)},
                 {"error", failure::from(what.error).chain()}});
}

void report_failed_task(const failed_task& what) noexcept {
  std::shared_ptr<const uncaught_handler> handler;
  {
    const std::lock_guard lock(handler_mutex);
    handler = handler_of_process;
  }
  report_failed_task(handler != nullptr ? *handler : uncaught_handler(), what);
}

std::string describe_task(std::string_view name, std::source_location from) {
  std::string place = from.file_name();
  place.erase(0, place.find_last_of('/') + 1);  // npos + 1 is 0
  place += ':' + std::to_string(from.line());
  return name.empty() ? "the task of " + place : "the task \"" + std::string(name) + "\" of " + place;
}

}  // namespace detail
}  // namespace weft::inline v1
