#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::inline v1 {

/// Two digits.
inline void append_hex(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += digits[byte >> 4U];
  out += digits[byte & 15U];
}

/// Any bytes as a text that an address and JSON take as it is.
inline std::string hex_of(std::string_view from) {
  std::string text;
  text.reserve(2 * from.size());
  for (const char one : from) append_hex(text, static_cast<unsigned char>(one));
  return text;
}

/// The bytes again; nothing for any other text.
inline std::optional<std::string> bytes_of_hex(std::string_view text) {
  const auto value_of = [](char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  std::string made;
  made.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = value_of(text[at]);
    const int low = value_of(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    made += static_cast<char>(16 * high + low);
  }
  return made;
}

}  // namespace weft::inline v1
