#include "workers/compat/log_data.hpp"

#include <weft/core/error.hpp>
#include <weft/logbook/defer.hpp>

#include "workers/compat/message.hpp"

namespace weft::inline v1::workers::detail::compat {

std::string log_to_text(const log::collection& from) {
  if (from.records.empty() && from.timers.empty() && from.data.empty()) return {};
  return wire::to_text(logbook::to_open_json(from), style, depth_in_message + 1);
}

log::collection log_from(const wire::json_value& from) {
  try {
    return logbook::from_json(from).value_or(log::collection{});
  } catch (const error&) {
    return {};  // it has an infinite number
  }
}

}  // namespace weft::inline v1::workers::detail::compat
