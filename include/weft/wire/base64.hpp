#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::wire {

/// The bytes in base64 of RFC 4648, with padding.
std::string to_base64(std::span<const std::byte> data);

/// The bytes again. Nothing for any other text: wrong characters or length, missing padding, bits
/// left over; so each byte string has exactly one text.
std::optional<bytes> from_base64(std::string_view text);

}  // namespace weft::inline v1::wire
