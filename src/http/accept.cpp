#include <weft/http/accept.hpp>

#include <algorithm>

#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http {

namespace {

using detail::digit_bytes;
using detail::token_bytes;
using detail::trim_blanks;

/// A quality in thousandths: "0.5", "1", "1.000" (RFC 9110, 12.4.2).
std::optional<int> quality_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int value = (text[0] - '0') * 1000;
  if (text.size() == 1) return value;
  if (text[1] != '.') return std::nullopt;
  int unit = 100;
  for (const char digit : text.substr(2)) {
    if (!digit_bytes.has(digit)) return std::nullopt;
    value += (digit - '0') * unit;
    unit /= 10;
  }
  return value <= 1000 ? std::optional(value) : std::nullopt;
}

/// Where the first `separator` outside of quotes is; the size without one.
std::size_t find_outside_quotes(std::string_view text, char separator) noexcept {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && text[at] == separator) {
      return at;
    }
  }
  return text.size();
}

/// Takes off `rest` what is before the next separator.
std::string_view cut(std::string_view& rest, char separator) noexcept {
  const std::size_t end = find_outside_quotes(rest, separator);
  const std::string_view piece = trim_blanks(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

/// A token, or two with a slash between.
bool is_value(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return token_bytes.spells(text);
  return token_bytes.spells(text.substr(0, slash)) && token_bytes.spells(text.substr(slash + 1));
}

struct parameter_text {
  std::string_view name;
  std::string_view value;  // with its quotes
};

std::optional<parameter_text> read_parameter(std::string_view text) noexcept {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || !token_bytes.spells(text.substr(0, sign))) return std::nullopt;
  const std::string_view value = text.substr(sign + 1);
  const bool is_quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  if (!is_quoted && !token_bytes.spells(value)) return std::nullopt;
  return parameter_text{text.substr(0, sign), value};
}

std::optional<accepted_value> read_element(std::string_view element) noexcept {
  accepted_value made;
  made.value = cut(element, ';');
  if (!is_value(made.value)) return std::nullopt;
  const std::string_view all = element;
  std::size_t end = 0;  // of the parameters before the weight
  while (!element.empty()) {
    const std::string_view text = cut(element, ';');
    if (text.empty()) continue;
    const auto one = read_parameter(text);
    if (!one) return std::nullopt;
    if (same_name(one->name, "q")) {
      const auto quality = quality_of(one->value);
      if (!quality) return std::nullopt;
      made.quality = *quality;
      break;  // what follows the weight were extensions once, which nobody used
    }
    end = static_cast<std::size_t>(one->value.data() + one->value.size() - all.data());
  }
  made.parameters = trim_blanks(all.substr(0, end));
  return made;
}

}  // namespace

std::optional<std::string_view> accepted_value::parameter(std::string_view name) const noexcept {
  for (std::string_view rest = parameters; !rest.empty();) {
    const auto one = read_parameter(cut(rest, ';'));
    if (!one || !same_name(one->name, name)) continue;
    const bool is_quoted = one->value.front() == '"';
    return is_quoted ? one->value.substr(1, one->value.size() - 2) : one->value;
  }
  return std::nullopt;
}

std::optional<accepted_value> next_accepted(std::string_view& list) noexcept {
  while (!list.empty()) {
    if (auto found = read_element(cut(list, ','))) return found;
  }
  return std::nullopt;
}

}  // namespace weft::inline v1::http
