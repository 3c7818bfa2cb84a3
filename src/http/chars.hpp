#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// Which bytes may stand where in an HTTP/1 message (RFC 9110 part 5, RFC 3986).

namespace weft::inline v1::http::detail {

/// A set of bytes.
class byte_set {
 public:
  constexpr explicit byte_set(std::string_view members) {
    for (const char one : members) in_[static_cast<unsigned char>(one)] = true;
  }
  constexpr byte_set with_range(unsigned char first, unsigned char last) const {
    byte_set wider = *this;
    for (unsigned one = first; one <= last; ++one) wider.in_[one] = true;
    return wider;
  }
  constexpr byte_set with_letters_and_digits() const {
    return with_range('a', 'z').with_range('A', 'Z').with_range('0', '9');
  }
  constexpr byte_set without(char one) const {
    byte_set narrower = *this;
    narrower.in_[static_cast<unsigned char>(one)] = false;
    return narrower;
  }
  constexpr bool has(char one) const noexcept { return in_[static_cast<unsigned char>(one)]; }

  /// Not empty, and made of members only.
  constexpr bool spells(std::string_view text) const noexcept {
    for (const char one : text) {
      if (!has(one)) return false;
    }
    return !text.empty();
  }

 private:
  std::array<bool, 256> in_{};
};

inline constexpr byte_set token_bytes = byte_set("!#$%&'*+-.^_`|~").with_letters_and_digits();
/// What a request target is made of: visible ASCII without a fragment.
inline constexpr byte_set target_bytes = byte_set("").with_range(0x21, 0x7e).without('#');
inline constexpr byte_set host_bytes = byte_set("-._~!$&'()*+;=:[]%").with_letters_and_digits();
inline constexpr byte_set digit_bytes = byte_set("0123456789");

constexpr char to_lower(char one) noexcept {
  return one >= 'A' && one <= 'Z' ? static_cast<char>(one + ('a' - 'A')) : one;
}

/// -1 for what is no hexadecimal digit.
constexpr int hex_value(char one) noexcept {
  if (one >= '0' && one <= '9') return one - '0';
  const char low = to_lower(one);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

constexpr bool is_blank(char one) noexcept { return one == ' ' || one == '\t'; }

constexpr std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr bool is_value_byte(char one) noexcept {
  const auto byte = static_cast<unsigned char>(one);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

/// Is `text` free of control bytes other than the tabulator? Eight bytes a step.
inline bool is_field_value(std::string_view text) noexcept {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, 8);
    const std::uint64_t below_space = (eight - ones * 0x20) & ~eight;
    const std::uint64_t not_delete = eight ^ (ones * 0x7f);
    const std::uint64_t is_delete = (not_delete - ones) & ~not_delete;
    if (((below_space | is_delete) & (ones * 0x80)) == 0) continue;
    for (int i = 0; i < 8; ++i) {
      if (!is_value_byte(at[i])) return false;
    }
  }
  for (; left > 0; ++at, --left) {
    if (!is_value_byte(*at)) return false;
  }
  return true;
}

}  // namespace weft::inline v1::http::detail
