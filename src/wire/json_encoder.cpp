#include <charconv>
#include <cmath>

#include <weft/core/error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/json.hpp>

#include "wire/utf8.hpp"

namespace weft::wire {
namespace {

template <typename Number>
void append_number(std::string& out, Number value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
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
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 15];
  }
}

void append_text(std::string& out, std::string_view value) {
  require_utf8(value);
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F) continue;
    out += value.substr(plain, i - plain);
    append_escaped(out, value[i]);
    plain = i + 1;
  }
  out += value.substr(plain);
  out += '"';
}

}  // namespace

void json_encoder::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void json_encoder::null() {
  separate();
  out_ += "null";
}

void json_encoder::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void json_encoder::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
}

void json_encoder::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(out_, value);
}

void json_encoder::number(double value) {
  if (!std::isfinite(value)) {
    throw error(errc::invalid_argument,
                "encode: a double is infinite or not a number, which no format can hold");
  }
  separate();
  const std::size_t begin = out_.size();
  append_number(out_, value);
  // A fraction or an exponent keeps it a double for the reader.
  if (out_.find_first_of(".e", begin) == std::string::npos) out_ += ".0";
}

void json_encoder::text(std::string_view value) {
  separate();
  append_text(out_, value);
}

void json_encoder::binary(std::span<const std::byte> value) {
  separate();
  out_ += '"';
  out_ += to_base64(value);
  out_ += '"';
}

void json_encoder::key(std::string_view name) {
  separate();
  append_text(out_, name);
  out_ += ':';
  needs_comma_ = false;
}

void json_encoder::open_list(std::size_t) {
  separate();
  out_ += '[';
  needs_comma_ = false;
}

void json_encoder::close_list() {
  out_ += ']';
  needs_comma_ = true;
}

void json_encoder::open_object(std::size_t) {
  separate();
  out_ += '{';
  needs_comma_ = false;
}

void json_encoder::close_object() {
  out_ += '}';
  needs_comma_ = true;
}

}  // namespace weft::wire
