#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/log/record.hpp>
#include <weft/wire/json_value.hpp>

// Whole logs as JSON objects, in the form of Perl's Log::Defer. docs/formats/log.md says it in words.

namespace weft::inline v1::logbook {

/// A log that has ended: `start`, `end`, and what there is of `logs`, `timers` and `data`. A timer that still
/// ran ends with it. Of a record go time, level, message, and its fields and context values as one object.
wire::json_object to_json(const log::collection& from);

/// A log that others will merge into theirs: without `end`, and timers that still run have none either.
wire::json_object to_open_json(const log::collection& from);

/// What can be read of it: entries of another form are left out, and what is in it besides is passed over.
/// Nothing where it has no start. Timers may also be an object, as in old logs: `{"name":[start,end]}`.
std::optional<log::collection> from_json(const wire::json_value& from);

/// One line of a logbook, without its newline. Throws weft::error (invalid_argument, too_large) for what JSON
/// cannot hold: text that is not UTF-8, a number that is not finite, structures nested too deep.
std::string to_line(const log::collection& from);

/// Throws weft::error (malformed, too_large) for a line that is no such log.
log::collection from_line(std::string_view line);

}  // namespace weft::inline v1::logbook
