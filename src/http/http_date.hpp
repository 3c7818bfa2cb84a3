#pragma once

#include <chrono>
#include <string>

namespace weft::http::detail {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(std::chrono::sys_seconds when);

}  // namespace weft::http::detail
