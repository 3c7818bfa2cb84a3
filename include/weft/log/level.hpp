#pragma once

#include <optional>
#include <string_view>

namespace weft::log {

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

}  // namespace weft::log
