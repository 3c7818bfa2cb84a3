#include <weft/http/request.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http {

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = detail::hex_value(text[i + 1]);
      const int low = detail::hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr detail::byte_set unreserved = detail::byte_set("-._~").with_letters_and_digits();
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char one : text) {
    if (unreserved.has(one)) {
      encoded += one;
    } else {
      const auto byte = static_cast<unsigned char>(one);
      encoded += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return encoded;
}

std::optional<std::string> form_value(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::optional<std::string> found = percent_decode(pair.substr(0, equals), true);
    if (found && *found == name) {
      return percent_decode(equals == pair.size() ? std::string_view() : pair.substr(equals + 1), true);
    }
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return std::nullopt;
}

}  // namespace weft::inline v1::http
