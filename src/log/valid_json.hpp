#pragma once

#include <string>
#include <string_view>

namespace weft::inline v1::log::detail {

/// Appends `text` without the space between its parts, if it is one JSON value in ASCII or UTF-8, nested in
/// others 32 deep at most. False: it is not, and nothing was appended.
bool append_valid_json(std::string& out, std::string_view text);

}  // namespace weft::inline v1::log::detail
