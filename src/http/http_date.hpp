#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1::http::detail {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::chrono::sys_seconds when);

/// That form, and the two that RFC 9110 wants understood: "Sunday, 06-Nov-94 08:49:37 GMT" and
/// "Sun Nov  6 08:49:37 1994". Nothing for what is no date.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace weft::inline v1::http::detail
