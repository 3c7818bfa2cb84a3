#include <algorithm>
#include <charconv>
#include <cstdio>

#include <weft/config/config.hpp>

// How values of sources become those of types. A file says of each what it is; in the environment and in
// flags all is text.

namespace weft::inline v1::config::detail {
namespace {

using form = raw_value::form;

bool is_loose_text(const raw_value& from) { return from.is == form::text && !from.is_from_file; }

template <typename T>
bool read_whole(const raw_value& from, T& into) {
  if (from.is != form::integer && !is_loose_text(from)) return false;
  const auto* const end = from.text.data() + from.text.size();
  const auto done = std::from_chars(from.text.data(), end, into);
  return done.ec == std::errc() && done.ptr == end;
}

}  // namespace

bool read_bool(const raw_value& from, bool& into) {
  if (from.is != form::boolean && !is_loose_text(from)) return false;
  const bool yes = from.text == "true" || from.text == "yes" || from.text == "on" || from.text == "1";
  const bool no = from.text == "false" || from.text == "no" || from.text == "off" || from.text == "0";
  if (yes || no) into = yes;
  return yes || no;
}

bool read_signed(const raw_value& from, std::int64_t least, std::int64_t most, std::int64_t& into) {
  return read_whole(from, into) && into >= least && into <= most;
}

bool read_unsigned(const raw_value& from, std::uint64_t most, std::uint64_t& into) {
  return read_whole(from, into) && into <= most;
}

bool read_real(const raw_value& from, double& into) {
  if (from.is != form::real && from.is != form::integer && !is_loose_text(from)) return false;
  const auto* const end = from.text.data() + from.text.size();
  const auto done = std::from_chars(from.text.data(), end, into);
  return done.ec == std::errc() && done.ptr == end;
}

bool read_text(const raw_value& from, std::string& into) {
  if (from.is != form::text) return false;
  into = from.text;
  return true;
}

bool read_span(const raw_value& from, std::chrono::microseconds& into) {
  if (from.is != form::text) return false;  // a number: of what?
  const auto span = duration_from_text(from.text);
  if (span) into = *span;
  return span.has_value();
}

bool read_bytes(const raw_value& from, byte_size& into) {
  if (from.is != form::text && from.is != form::integer) return false;
  const auto size = byte_size_from_text(from.text);
  if (size) into = *size;
  return size.has_value();
}

bool read_list(const raw_value& from, std::vector<raw_value>& into) {
  if (from.is == form::list) {
    into = from.items;
    return true;
  }
  if (!is_loose_text(from)) return false;
  for (std::size_t start = 0; !from.text.empty() && start <= from.text.size();) {
    const auto end = std::min(from.text.find(',', start), from.text.size());
    into.push_back(
        {.is = form::text, .is_from_file = false, .text = from.text.substr(start, end - start), .items = {}});
    start = end + 1;
  }
  return true;
}

std::string toml_text(std::string_view text) {
  std::string made = "\"";
  for (const char one : text) {
    const auto code = static_cast<unsigned char>(one);
    if (one == '"' || one == '\\') {
      made.append("\\").push_back(one);
    } else if (code < 0x20 || code == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04X", static_cast<unsigned>(code));
      made += escaped;
    } else {
      made += one;
    }
  }
  return made + '"';
}

std::string real_text(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

}  // namespace weft::inline v1::config::detail
