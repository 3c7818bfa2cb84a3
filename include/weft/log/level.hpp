#pragma once

#include <optional>
#include <string_view>

namespace weft::inline v1::log {

/// How much a record matters. `off` is above all of them: a threshold that lets nothing through.
enum class level : unsigned char {
  debug,     ///< for whoever looks for a fault
  info,      ///< what the program does, one line a step
  warn,      ///< unexpected, and dealt with
  error,     ///< something that was asked for did not happen
  critical,  ///< the program, or data, is in danger
  off,
};

/// "debug", "info", "warn", "error", "critical", "off".
std::string_view to_string(level of) noexcept;

/// The level of that name, in lower case; nothing for another text.
std::optional<level> level_from_string(std::string_view name) noexcept;

/// Levels as numbers, as Perl's Log::Defer has them: 10 error (and critical), 20 warn, 30 info, 40 debug.
/// Larger ones matter less.
int number_of(level of) noexcept;

/// The level of any number: one between two levels is of the lesser, 25 is info.
level level_from_number(int number) noexcept;

}  // namespace weft::inline v1::log
