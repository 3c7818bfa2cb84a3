#pragma once

#include <string>
#include <string_view>

namespace weft::http::detail {

/// What a server answers to a client's Sec-WebSocket-Key (RFC 6455, 4.2.2).
std::string websocket_accept_text(std::string_view key);

}  // namespace weft::http::detail
