#pragma once

#include <string>
#include <string_view>

#include <weft/http/websocket.hpp>

namespace weft::inline v1::http::detail {

/// Throws weft::error (invalid_argument).
void check_compression(const websocket_options& options);

/// What a server answers to a client's Sec-WebSocket-Key (RFC 6455, 4.2.2).
std::string websocket_accept_text(std::string_view key);

}  // namespace weft::inline v1::http::detail
