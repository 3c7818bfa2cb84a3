#pragma once

#include <string_view>

// Pieces of the headers' grammars.

namespace weft::inline v1::trace::detail {

/// OWS: blanks and tabs.
inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

inline std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes what is before the next `separator` off `rest`; at the end `rest` has no data.
inline std::string_view take_until(std::string_view& rest, char separator) noexcept {
  const auto at = rest.find(separator);
  const auto taken = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return taken;
}

inline bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The value of a hex digit; -1 for upper case too.
inline int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace weft::inline v1::trace::detail
