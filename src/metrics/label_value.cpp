#include "metrics/label_value.hpp"

#include <weft/metrics/description.hpp>

namespace weft::inline v1::metrics::detail {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

/// How long the character at the front of `text` is; 0 if it is not well-formed.
std::size_t character_bytes(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  // The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF.
  const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string clean_label_value(std::string_view value) {
  std::string clean;
  while (!value.empty()) {
    const std::size_t length = character_bytes(value);
    const std::string_view one = length == 0 ? std::string_view("?") : value.substr(0, length);
    if (clean.size() + one.size() > label_value_bytes_max) break;
    clean += one;
    value.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

}  // namespace weft::inline v1::metrics::detail
