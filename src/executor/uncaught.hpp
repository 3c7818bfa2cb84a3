#pragma once

#include <exception>

namespace weft::detail {

/// Logs an error that no one will look at, as critical, in the running task's context. Cancellation
/// and exit are no errors.
void report_uncaught_error(const char* whose, const std::exception_ptr& error) noexcept;

}  // namespace weft::detail
