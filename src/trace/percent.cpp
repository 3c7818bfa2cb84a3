#include "trace/percent.hpp"

#include <variant>

#include <weft/log/log.hpp>

#include "trace/chars.hpp"

namespace weft::inline v1::trace::detail {
namespace {

/// Both cases: only the trace headers ask for lower case.
int digit_value(char c) noexcept {
  return hex_value(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
}

bool stands_for_itself(char c) noexcept {
  constexpr std::string_view escaped = "\"%,;\\";
  return c > 0x20 && c < 0x7f && escaped.find(c) == std::string_view::npos;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  constexpr auto& digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (stands_for_itself(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

std::string percent_decoded(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool has_digits = text[at] == '%' && text.size() - at > 2;
    const int high = has_digits ? digit_value(text[at + 1]) : -1;
    const int low = has_digits ? digit_value(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      bytes += text[at];
    } else {
      bytes += static_cast<char>(high << 4 | low);
      at += 2;
    }
  }
  return std::get<std::string>(log::argument("", bytes).to_field().value);  // makes UTF-8 of it
}

}  // namespace weft::inline v1::trace::detail
