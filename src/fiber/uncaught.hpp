#pragma once

#include <exception>

#include <weft/fiber/run.hpp>

namespace weft::inline v1::detail {

/// Hands an error that nobody joins to the run's handler; cancellation and exit are no errors.
void report_uncaught(const uncaught_error& what) noexcept;
/// As report_uncaught, but an exit ends the run, unless a server is around it.
void hand_on_uncaught(const uncaught_error& what) noexcept;
/// The same for what the running task threw, apart from its outcome.
void hand_on_uncaught(const std::exception_ptr& thrown) noexcept;

}  // namespace weft::inline v1::detail
