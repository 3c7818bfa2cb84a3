#include <weft/wire/json_value.hpp>

namespace weft::inline v1::wire {

std::string to_characters(std::span<const std::byte> data) {
  std::string text;
  text.reserve(data.size());
  for (const std::byte one : data) {
    const auto code = std::to_integer<unsigned>(one);
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else {
      text += static_cast<char>(0xC0 | (code >> 6U));
      text += static_cast<char>(0x80 | (code & 0x3FU));
    }
  }
  return text;
}

std::optional<bytes> from_characters(std::string_view text) {
  bytes data;
  data.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto code = static_cast<unsigned char>(text[i]);
    if (code >= 0x80) {
      // U+0080 to U+00FF are two bytes, of which the first is C2 or C3.
      if ((code != 0xC2 && code != 0xC3) || i + 1 == text.size()) return std::nullopt;
      code = static_cast<unsigned char>((code << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    }
    data.push_back(std::byte{code});
  }
  return data;
}

}  // namespace weft::inline v1::wire
