#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace weft::inline v1::wire {

/// SHA-1 (FIPS 180-4), for protocols that are made of it, such as the WebSocket handshake. It protects
/// nothing: two inputs of one digest can be made.
std::array<std::byte, 20> sha1(std::span<const std::byte> data);

}  // namespace weft::inline v1::wire
