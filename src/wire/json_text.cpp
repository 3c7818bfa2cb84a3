#include "wire/json_text.hpp"

#include <weft/core/error.hpp>
#include <weft/wire/utf8.hpp>

namespace weft::inline v1::wire::detail {

namespace {

std::string place_of(std::string_view text, std::size_t at) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, at)) {
    column = c == '\n' ? 1 : column + 1;
    if (c == '\n') ++line;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

std::size_t end_of_text(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

void throw_not_json(std::string_view text, std::size_t at, const std::string& why) {
  // The parser calls bytes that are no UTF-8 a syntax error, which sends people the wrong way.
  const std::string reason = is_utf8(text) ? why : "the text is not valid UTF-8";
  throw error(errc::malformed, "decode: not JSON at " + place_of(text, at) + ": " + reason);
}

}  // namespace weft::inline v1::wire::detail
