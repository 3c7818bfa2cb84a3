#include <weft/wire/binary.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

#include <weft/core/error.hpp>
#include <weft/wire/utf8.hpp>

namespace weft::inline v1::wire {
namespace {

// docs/formats/codec.md, "Binary form".
enum : unsigned {
  tag_null = 0,
  tag_false = 1,
  tag_true = 2,
  tag_natural = 3,   // varint n: n
  tag_negative = 4,  // varint n: -1 - n
  tag_double = 5,    // 8 bytes, lowest first
  tag_text = 6,      // varint length, UTF-8
  tag_bytes = 7,     // varint length, bytes
  tag_list = 8,      // varint count, values
  tag_object = 9,    // varint count, (varint length, UTF-8, value)
};

constexpr auto integer_max = static_cast<std::uint64_t>(INT64_MAX);

}  // namespace

void binary_encoder::tag(unsigned value) { out_.push_back(static_cast<std::byte>(value)); }

void binary_encoder::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<std::byte>(value | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<std::byte>(value));
}

void binary_encoder::append(std::span<const std::byte> data) {
  varint(data.size());
  out_.insert(out_.end(), data.begin(), data.end());
}

void binary_encoder::null() { tag(tag_null); }

void binary_encoder::boolean(bool value) { tag(value ? tag_true : tag_false); }

void binary_encoder::integer(std::int64_t value) {
  tag(value < 0 ? tag_negative : tag_natural);
  varint(static_cast<std::uint64_t>(value < 0 ? -1 - value : value));
}

void binary_encoder::unsigned_integer(std::uint64_t value) {
  tag(tag_natural);
  varint(value);
}

void binary_encoder::number(double value) {
  if (!std::isfinite(value)) {
    throw error(errc::invalid_argument,
                "encode: a double is infinite or not a number, which no format can hold");
  }
  tag(tag_double);
  auto bits = std::bit_cast<std::uint64_t>(value);
  for (int i = 0; i < 8; ++i, bits >>= 8) out_.push_back(static_cast<std::byte>(bits & 0xFF));
}

void binary_encoder::text(std::string_view value) {
  require_utf8(value);
  tag(tag_text);
  append(as_bytes(value));
}

void binary_encoder::binary(std::span<const std::byte> value) {
  tag(tag_bytes);
  append(value);
}

void binary_encoder::key(std::string_view name) {
  require_utf8(name);
  append(as_bytes(name));
}

void binary_encoder::open_list(std::size_t count) {
  tag(tag_list);
  varint(count);
}

void binary_encoder::open_object(std::size_t count) {
  tag(tag_object);
  varint(count);
}

value_kind binary_decoder::peek() {
  if (at_ == data_.size()) fail("the bytes end where a value is expected");
  std::size_t at = at_ + 1;
  switch (std::to_integer<unsigned>(data_[at_])) {
    case tag_null:
      return value_kind::null;
    case tag_false:
    case tag_true:
      return value_kind::boolean;
    case tag_natural:
      return varint(at) > integer_max ? value_kind::unsigned_integer : value_kind::integer;
    case tag_negative:
      return value_kind::integer;
    case tag_double:
      return value_kind::number;
    case tag_text:
      return value_kind::text;
    case tag_bytes:
      return value_kind::binary;
    case tag_list:
      return value_kind::list;
    case tag_object:
      return value_kind::object;
    default:
      fail("unknown tag " + std::to_string(std::to_integer<unsigned>(data_[at_])));
  }
}

void binary_decoder::expect_end() const {
  if (at_ != data_.size()) fail(std::to_string(data_.size() - at_) + " bytes follow the value");
}

std::uint64_t binary_decoder::varint(std::size_t& at) const {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at == data_.size()) fail("the bytes end inside a number");
    const auto piece = std::to_integer<std::uint64_t>(data_[at++]);
    if (shift == 63 && piece > 1) break;
    value |= (piece & 0x7F) << shift;
    if (piece >= 0x80) continue;
    if (piece == 0 && shift > 0) fail("a number is not in its shortest form");
    return value;
  }
  fail("a number has more than 64 bits");
}

std::uint64_t binary_decoder::read_varint() { return varint(at_); }

std::span<const std::byte> binary_decoder::read_block() {
  const std::uint64_t size = read_varint();
  if (size > data_.size() - at_) fail("the bytes end inside a text or byte string");
  const auto block = data_.subspan(at_, size);
  at_ += size;
  return block;
}

std::string_view binary_decoder::read_utf8() {
  const std::string_view text = as_text(read_block());
  if (!is_utf8(text)) fail("a text is not UTF-8");
  return text;
}

void binary_decoder::read_null() { ++at_; }

bool binary_decoder::read_boolean() { return std::to_integer<unsigned>(data_[at_++]) == tag_true; }

std::int64_t binary_decoder::read_integer() {
  const bool negative = std::to_integer<unsigned>(data_[at_++]) == tag_negative;
  const std::uint64_t value = read_varint();
  if (value > integer_max) fail("an integer is below -2^63");
  return negative ? -1 - static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

std::uint64_t binary_decoder::read_unsigned() {
  ++at_;
  return read_varint();
}

double binary_decoder::read_number() {
  ++at_;
  if (data_.size() - at_ < 8) fail("the bytes end inside a number");
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= std::to_integer<std::uint64_t>(data_[at_++]) << (8 * i);
  const double value = std::bit_cast<double>(bits);
  if (!std::isfinite(value)) fail("a double is infinite or not a number");
  return value;
}

std::string_view binary_decoder::read_text() {
  ++at_;
  return read_utf8();
}

void binary_decoder::read_binary(bytes& into) {
  if (std::to_integer<unsigned>(data_[at_]) != tag_bytes) fail("expected bytes, found text");
  ++at_;
  const auto block = read_block();
  into.assign(block.begin(), block.end());
}

void binary_decoder::open() {
  ++at_;
  const std::uint64_t count = read_varint();
  // Each item takes a byte at least.
  if (count > data_.size() - at_) fail("the bytes end inside a list or object");
  left_.push_back(count);
}

std::size_t binary_decoder::open_list() {
  // Room for as many items as there are bytes could be far too much for large items.
  constexpr std::uint64_t hint_max = 1024;
  open();
  return std::min(left_.back(), hint_max);
}

bool binary_decoder::more_items() {
  if (left_.back() == 0) {
    left_.pop_back();
    return false;
  }
  --left_.back();
  return true;
}

void binary_decoder::open_object() { open(); }

bool binary_decoder::more_members(std::string_view& name) {
  if (!more_items()) return false;
  name = read_utf8();
  return true;
}

}  // namespace weft::inline v1::wire
