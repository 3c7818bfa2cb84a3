#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::workers::detail {

/// The unsigned integer that has the bits of a number.
template <std::size_t Bytes>
using bits_of =
    std::conditional_t<Bytes == 1, std::uint8_t,
                       std::conditional_t<Bytes == 2, std::uint16_t,
                                          std::conditional_t<Bytes == 4, std::uint32_t, std::uint64_t>>>;

/// Puts fixed-width numbers (big-endian, as in the frame's header) and length-prefixed strings
/// behind each other.
class byte_writer {
 public:
  explicit byte_writer(bytes& into) noexcept : out_(into) {}

  template <typename Number>
    requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>)
  void number(Number value) {
    const auto bits = std::bit_cast<bits_of<sizeof value>>(value);
    for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<std::byte>(bits >> shift));
    }
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    const auto view = as_bytes(value);
    out_.insert(out_.end(), view.begin(), view.end());
  }

 private:
  bytes& out_;
};

[[noreturn]] void throw_short_frame();

/// Reads what byte_writer wrote. Throws weft::error (malformed) where bytes are missing; allocates
/// nothing that is not there.
class byte_reader {
 public:
  explicit byte_reader(std::string_view from) noexcept : rest_(from) {}

  template <typename Number>
    requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>)
  Number number() {
    bits_of<sizeof(Number)> bits = 0;
    for (const char one : take(sizeof(Number))) {
      bits = static_cast<decltype(bits)>((std::uint64_t{bits} << 8U) | static_cast<unsigned char>(one));
    }
    return std::bit_cast<Number>(bits);
  }
  /// A view into the frame.
  std::string_view text() { return take(number<std::uint32_t>()); }
  std::string owned_text() { return std::string(text()); }
  bool at_end() const noexcept { return rest_.empty(); }
  /// The number of items to come, which is at most what the rest has bytes for.
  std::uint32_t count() {
    const auto items = number<std::uint32_t>();
    if (items > rest_.size()) throw_short_frame();
    return items;
  }

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) throw_short_frame();
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace weft::inline v1::workers::detail
