#include <weft/log/escape.hpp>

#include <cstddef>

#include "core/hex.hpp"

namespace weft::inline v1::log {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (byte_at(text, at) & 0xc0) == 0x80;
}

/// Bytes of the UTF-8 character that `text` begins with; 0 where it begins with none.
std::size_t character_length(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !is_continuation(text, 1)) return 0;
  if (first < 0xe0) return 2;
  const unsigned second = byte_at(text, 1);
  if (!is_continuation(text, 2)) return 0;
  if (first < 0xf0) {
    const bool is_overlong = first == 0xe0 && second < 0xa0;
    const bool is_surrogate = first == 0xed && second > 0x9f;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  const bool is_out_of_range = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return is_out_of_range || !is_continuation(text, 3) ? 0 : 4;
}

bool is_control(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  const bool is_c1 = first == 0xc2 && text.size() > 1 && byte_at(text, 1) < 0xa0;  // U+0080 to U+009F
  return first < 0x20 || first == 0x7f || is_c1;
}

/// The same for a character that may be shown as it is.
std::size_t printable_length(std::string_view text) { return is_control(text) ? 0 : character_length(text); }

void append_byte(std::string& out, unsigned byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\x";
  append_hex(out, static_cast<unsigned char>(byte));
}

void append(std::string& out, std::string_view text, std::string_view also_escaped) {
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length == 0) {
      append_byte(out, byte_at(text, 0));
    } else {
      if (also_escaped.find(text[0]) != std::string_view::npos) out += '\\';
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

bool is_word(std::string_view text) {
  if (text.empty()) return false;
  for (std::string_view left = text; !left.empty();) {
    const std::size_t length = printable_length(left);
    if (length == 0 || std::string_view(" \"=|\\").find(left[0]) != std::string_view::npos) return false;
    left.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

void append_escaped(std::string& out, std::string_view text) { append(out, text, "\\"); }

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

void append_quoted(std::string& out, std::string_view text) {
  if (is_word(text)) {
    out += text;
    return;
  }
  out += '"';
  append(out, text, "\"\\");
  out += '"';
}

}  // namespace weft::inline v1::log
