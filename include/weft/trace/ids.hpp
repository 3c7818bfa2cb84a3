#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::inline v1::trace {

/// A number by which a trace or a span is known everywhere; all zero is none. Plain data.
template <std::size_t Size>
struct id {
  std::array<std::uint8_t, Size> bytes{};

  explicit operator bool() const noexcept { return bytes != std::array<std::uint8_t, Size>{}; }
  bool operator==(const id&) const = default;
};

using trace_id = id<16>;  ///< of everything that belongs to one request, on all machines
using span_id = id<8>;    ///< of one step in it

/// Lower-case hex, 32 and 16 characters.
std::string to_string(const trace_id& of);
std::string to_string(const span_id& of);

}  // namespace weft::inline v1::trace
