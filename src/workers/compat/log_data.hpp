#pragma once

#include <string>

#include <weft/log/record.hpp>
#include <weft/wire/json_value.hpp>

// The log of a call as it travels with a reply: an unfinished record of Perl's Log::Defer.

namespace weft::inline v1::workers::detail::compat {

/// As JSON text; empty where nothing was logged. Of a record travel time, level, message, and its fields and
/// context values as one object behind the message.
std::string log_to_text(const log::collection& from);

/// What can be read of it: entries of another form are left out, and all where a number is infinite.
log::collection log_from(const wire::json_value& from);

}  // namespace weft::inline v1::workers::detail::compat
