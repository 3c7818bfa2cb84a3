#include <weft/wire/canonical.hpp>

#include <weft/core/error.hpp>

#include "wire/big_endian.hpp"

namespace weft::inline v1::wire {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t head_bytes = 1 + length_bytes;

}  // namespace

void canonical_writer::field(char tag, std::span<const std::byte> value) {
  if (value.size() > UINT32_MAX) throw error(errc::too_large, "sign: a field is over 4 GiB");
  data_.push_back(static_cast<std::byte>(tag));
  append_big_endian(data_, value.size(), length_bytes);
  data_.insert(data_.end(), value.begin(), value.end());
}

void canonical_writer::text(std::string_view value) { field('t', as_bytes(value)); }

void canonical_writer::binary(std::span<const std::byte> value) { field('b', value); }

void canonical_writer::integer(std::int64_t value) {
  bytes data;
  append_big_endian(data, static_cast<std::uint64_t>(value), 8);
  field('i', data);
}

void canonical_writer::unsigned_integer(std::uint64_t value) {
  bytes data;
  append_big_endian(data, value, 8);
  field('u', data);
}

void canonical_writer::absent() { field('-', {}); }

void canonical_reader::fail(const std::string& why) const {
  throw error(errc::malformed, "decode: signed field " + std::to_string(index_) + ": " + why);
}

std::span<const std::byte> canonical_reader::field(char tag, const char* kind) {
  if (rest_.size() < head_bytes) fail(std::string("expected ") + kind + ", found the end");
  if (static_cast<char>(rest_[0]) != tag) fail(std::string("expected ") + kind + ", found another kind");
  const std::uint64_t size = read_big_endian(rest_.subspan(1, length_bytes));
  if (size > rest_.size() - head_bytes) fail("the bytes end inside it");
  const auto value = rest_.subspan(head_bytes, size);
  rest_ = rest_.subspan(head_bytes + size);
  ++index_;
  return value;
}

std::uint64_t canonical_reader::number(char tag) {
  const auto value = field(tag, tag == 'i' ? "an integer" : "an unsigned integer");
  if (value.size() != 8) fail("a number does not have 8 bytes");
  return read_big_endian(value);
}

std::string_view canonical_reader::text() { return as_text(field('t', "text")); }

std::span<const std::byte> canonical_reader::binary() { return field('b', "bytes"); }

std::int64_t canonical_reader::integer() { return static_cast<std::int64_t>(number('i')); }

std::uint64_t canonical_reader::unsigned_integer() { return number('u'); }

bool canonical_reader::take_absent() {
  if (rest_.empty() || static_cast<char>(rest_[0]) != '-') return false;
  if (!field('-', "no value").empty()) fail("a value follows where there is none");
  return true;
}

void canonical_reader::expect_end() const {
  if (!rest_.empty()) fail("expected the end, found more");
}

}  // namespace weft::inline v1::wire
