#include "executor/uncaught.hpp"

#include <weft/core/failure.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/log/log.hpp>

namespace weft::detail {

void report_uncaught_error(const char* whose, const std::exception_ptr& error) noexcept {
  if (holds_exception<unwinding>(error)) return;
  log::critical("an error was not handled", {{"in", whose}, {"error", failure::from(error).chain()}});
}

}  // namespace weft::detail
