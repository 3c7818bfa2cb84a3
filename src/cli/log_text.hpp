#pragma once

#include <cstddef>
#include <string>

#include <weft/log/record.hpp>
#include <weft/wire/json_value.hpp>

namespace weft::inline v1::cli {

/// How a log is shown.
struct log_style {
  int verbosity = 30;      ///< records with a higher number are left out
  std::size_t width = 80;  ///< columns of the timers' chart
  bool coloured = false;
  bool utc = false;        ///< dates in UTC, else in local time
  bool since_now = false;  ///< "3 minutes ago" instead of a date
  bool with_records = true;
  bool with_timers = true;
  bool with_data = true;
};

/// A log as people read it, some lines. `now` is for since_now. Control characters are escaped, so that what
/// was logged cannot drive the terminal.
std::string log_text(const log::collection& from, const log_style& style, log::record_time now);

/// JSON with a line for each member and item, lists and objects without any in one. Control characters beyond
/// ASCII's are escaped too.
std::string pretty_json(const wire::json_value& value, std::size_t indented = 0);

/// On one line.
std::string printable_json(const wire::json_value& value);

}  // namespace weft::inline v1::cli
