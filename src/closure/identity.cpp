#include <weft/closure/identity.hpp>

#include <algorithm>
#include <charconv>

#include <weft/core/error.hpp>

namespace weft::inline v1 {
namespace {

[[noreturn]] void throw_malformed(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string shown;
  for (const char c : text.substr(0, shown_max)) shown += c >= ' ' && c <= '~' ? c : '?';
  throw error(errc::malformed, "closure identity \"" + shown + (text.size() > shown_max ? "...\"" : "\"") +
                                   ": expected `name(schema)` or `@build+offset(schema)`");
}

bool is_hex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

std::string to_hex(std::uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16);
  return {digits, end.ptr};
}

}  // namespace

std::string closure_identity::text() const {
  return (name.empty() ? '@' + build_id + '+' + to_hex(offset) : name) + schema;
}

closure_identity closure_identity::parse(std::string_view text) {
  closure_identity read;
  const std::size_t bracket = text.find('(');
  if (bracket == std::string_view::npos || bracket == 0 || text.back() != ')') throw_malformed(text);
  read.schema = text.substr(bracket);
  const std::string_view head = text.substr(0, bracket);
  if (head.front() != '@') {
    read.name = head;
    return read;
  }
  const std::size_t plus = head.find('+');
  if (plus == std::string_view::npos || !is_hex(head.substr(1, plus - 1)) || !is_hex(head.substr(plus + 1))) {
    throw_malformed(text);
  }
  read.build_id = head.substr(1, plus - 1);
  const auto end = std::from_chars(head.data() + plus + 1, head.data() + head.size(), read.offset, 16);
  if (end.ec != std::errc() || end.ptr != head.data() + head.size()) throw_malformed(text);
  return read;
}

std::string closure_place::text() const {
  if (line != 0) return file + ':' + std::to_string(line) + ':' + std::to_string(column);
  return function.empty() ? file : file + ", in " + function;
}

}  // namespace weft::inline v1
