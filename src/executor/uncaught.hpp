#pragma once

#include <exception>
#include <source_location>
#include <string>
#include <string_view>

#include <weft/executor/executor.hpp>

namespace weft::inline v1::detail {

/// Logs an error that no one will look at, as critical, in the running task's context. Cancellation
/// and exit are no errors.
void report_uncaught_error(const char* whose, const std::exception_ptr& error) noexcept;

/// Hands it to the handler of the process, else to the log.
void report_failed_task(const failed_task& what) noexcept;
/// Hands it to `handler`; where that is empty or throws, to the log.
void report_failed_task(const uncaught_handler& handler, const failed_task& what) noexcept;

/// For messages: `the task "name" (file:line)`.
std::string describe_task(std::string_view name, std::source_location from);

}  // namespace weft::inline v1::detail
