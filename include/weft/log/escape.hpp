#pragma once

#include <string>
#include <string_view>

// Text from outside, made fit to be shown: for sinks, and for whatever prints what others wrote.

namespace weft::inline v1::log {

/// `text`, with U+FFFD for each byte that is not UTF-8.
std::string to_utf8(std::string_view text);

/// `text` with control characters and bytes that are not UTF-8 as \n, \r, \t or \xNN, so that a value
/// can neither start a line nor move the cursor.
void append_escaped(std::string& out, std::string_view text);
std::string escaped(std::string_view text);

/// The same in double quotes, unless it is one plain word.
void append_quoted(std::string& out, std::string_view text);

}  // namespace weft::inline v1::log
