#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::inline v1 {

/// Raw bytes, which are not text: encoded as such, never checked for UTF-8.
using bytes = std::vector<std::byte>;

/// The bytes of a text. Valid as long as the text.
inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The bytes as text, unchecked. Valid as long as the bytes.
inline std::string_view as_text(std::span<const std::byte> data) noexcept {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

/// A copy of the text's bytes.
inline bytes to_bytes(std::string_view text) {
  const auto view = as_bytes(text);
  return {view.begin(), view.end()};
}

}  // namespace weft::inline v1
