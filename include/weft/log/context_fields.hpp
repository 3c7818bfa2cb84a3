#pragma once

#include <string>
#include <vector>

#include <weft/log/record.hpp>

// For adapters: what weft's own records show of the context, shown by another logger.

namespace weft::inline v1::log {

/// What a record that is made here and now shows of the running task's context, by name: values of keys with
/// `.log = true`, redacted ones as ***, and what context sources add. Empty where nothing is bound. Any
/// thread or fiber; never waits. A value that cannot be read does not throw, and shows as `weft.context`.
std::vector<context_field> context_fields();

/// Appends them as format_text() does, `app.user=7 app.note="two words"`; control characters are escaped.
void format_context(const std::vector<context_field>& from, std::string& out);

}  // namespace weft::inline v1::log
