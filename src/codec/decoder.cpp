#include <weft/codec/decoder.hpp>

#include <algorithm>
#include <cmath>

#include <weft/core/error.hpp>

namespace weft::inline v1 {
namespace {

constexpr std::size_t shown_name_max = 64;

std::string_view article_and_name(value_kind kind) {
  switch (kind) {
    case value_kind::null:
      return "null";
    case value_kind::boolean:
      return "true or false";
    case value_kind::integer:
      return "an integer";
    case value_kind::unsigned_integer:
      return "an integer above 2^63-1";
    case value_kind::number:
      return "a fractional number";
    case value_kind::text:
      return "text";
    case value_kind::binary:
      return "bytes";
    case value_kind::list:
      return "a list";
    case value_kind::object:
      return "an object";
  }
  return "something unknown";
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// Names come from outside: the path shows only a bounded piece of them, and no control characters.
void append_name(std::string& path, std::string_view name) {
  if (is_plain_name(name) && name.size() <= shown_name_max) {
    path += '.';
    path += name;
    return;
  }
  path += "[\"";
  for (const char c : name.substr(0, shown_name_max)) path += (c >= ' ' && c <= '~' && c != '"') ? c : '?';
  path += name.size() > shown_name_max ? "...\"]" : "\"]";
}

}  // namespace

std::string_view to_string(value_kind kind) noexcept {
  constexpr std::string_view names[] = {"null",   "boolean", "integer", "unsigned_integer", "number", "text",
                                        "binary", "list",    "object"};
  return names[static_cast<std::size_t>(kind)];
}

decoder::~decoder() = default;

void decoder::expect(value_kind kind) {
  const value_kind found = peek();
  if (found == kind) return;
  fail("expected " + std::string(article_and_name(kind)) + ", found " + std::string(article_and_name(found)));
}

void decoder::null() {
  expect(value_kind::null);
  read_null();
}

bool decoder::boolean() {
  expect(value_kind::boolean);
  return read_boolean();
}

std::int64_t decoder::integer() {
  if (peek() == value_kind::unsigned_integer) fail("out of range: above 2^63-1");
  expect(value_kind::integer);
  return read_integer();
}

std::uint64_t decoder::unsigned_integer() {
  if (peek() == value_kind::unsigned_integer) return read_unsigned();
  expect(value_kind::integer);
  const std::int64_t value = read_integer();
  if (value < 0) fail("out of range: " + std::to_string(value) + " is negative");
  return static_cast<std::uint64_t>(value);
}

double decoder::number() {
  // Above 2^53 some integers have no double of their own, so none is taken.
  constexpr std::int64_t exact_max = std::int64_t{1} << 53;
  if (peek() == value_kind::unsigned_integer)
    fail("an integer above 2^53 does not fit a double without loss");
  if (peek() != value_kind::integer) {
    expect(value_kind::number);
    return read_number();
  }
  const std::int64_t value = read_integer();
  if (value < -exact_max || value > exact_max)
    fail("an integer above 2^53 does not fit a double without loss");
  return static_cast<double>(value);
}

std::string_view decoder::text() {
  expect(value_kind::text);
  return read_text();
}

void decoder::binary(bytes& into) {
  const value_kind found = peek();
  if (found != value_kind::binary && found != value_kind::text) expect(value_kind::binary);
  read_binary(into);
}

void decoder::enter(bool is_list) {
  if (steps_.size() >= codec_depth_max) {
    fail("lists and objects are nested more than " + std::to_string(codec_depth_max) + " deep");
  }
  steps_.push_back({{}, 0, is_list});
}

std::size_t decoder::begin_list() {
  expect(value_kind::list);
  const std::size_t hint = open_list();
  enter(true);
  return hint;
}

bool decoder::next_item() {
  if (more_items()) {
    ++steps_.back().next;
    return true;
  }
  steps_.pop_back();
  return false;
}

void decoder::begin_object() {
  expect(value_kind::object);
  open_object();
  enter(false);
}

bool decoder::next_member(std::string_view& name) {
  if (more_members(name)) {
    steps_.back().name = name;
    ++steps_.back().next;
    return true;
  }
  steps_.pop_back();
  return false;
}

void decoder::skip() {
  switch (peek()) {
    case value_kind::null:
      return read_null();
    case value_kind::boolean:
      return (void)read_boolean();
    case value_kind::integer:
      return (void)read_integer();
    case value_kind::unsigned_integer:
      return (void)read_unsigned();
    case value_kind::number:
      return (void)read_number();
    case value_kind::text:
      return (void)read_text();
    case value_kind::binary: {
      bytes dropped;
      return read_binary(dropped);
    }
    case value_kind::list:
      begin_list();
      while (next_item()) skip();
      return;
    case value_kind::object:
      begin_object();
      std::string_view name;
      while (next_member(name)) skip();
      return;
  }
}

std::string decoder::path() const {
  std::string path = "$";
  for (const auto& at : steps_) {
    if (at.next == 0) continue;
    if (at.is_list) {
      path += '[' + std::to_string(at.next - 1) + ']';
    } else {
      append_name(path, at.name);
    }
  }
  return path;
}

void decoder::throw_at(std::string where, std::string_view what) const {
  where += ": ";
  where += what;
  throw error(errc::malformed, "decode: " + where);
}

void decoder::fail(std::string_view what) const { throw_at(path(), what); }

void decoder::fail_member(std::string_view name, std::string_view what) const {
  std::string where = path();
  append_name(where, name);
  throw_at(std::move(where), what);
}

}  // namespace weft::inline v1
