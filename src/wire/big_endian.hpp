#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::wire {

/// Adds `size` bytes of `value`, highest first.
inline void append_big_endian(bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i > 0; --i) out.push_back(static_cast<std::byte>(value >> (8 * (i - 1)) & 0xFF));
}

/// The number of which these are the bytes, highest first; at most 8.
inline std::uint64_t read_big_endian(std::span<const std::byte> data) {
  std::uint64_t value = 0;
  for (const auto byte : data) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

}  // namespace weft::inline v1::wire
