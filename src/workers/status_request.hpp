#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <weft/wire/frame.hpp>

namespace weft::inline v1::workers::detail {

/// What a client says first, in place of a hello, that wants to know what the server is doing: the native
/// magic and a frame `status`, with its nonce where it has keys.
std::string status_request(std::string_view nonce);

/// The nonce of such a frame; empty where the client has no keys. Throws weft::error (malformed).
std::string read_status_request(const wire::frame& from);

/// No such request is longer.
inline constexpr std::size_t status_request_bytes_max = 64;

/// Does a client that begins so make this request? In part: so far it may.
enum class is_status_request : unsigned char { no, in_part, yes };
is_status_request recognise_status_request(std::string_view said);

}  // namespace weft::inline v1::workers::detail
