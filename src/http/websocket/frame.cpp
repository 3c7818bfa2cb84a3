#include "http/websocket/frame.hpp"

#include <cstring>

namespace weft::inline v1::http::detail {

namespace {

constexpr unsigned char final_bit = 0x80;
constexpr unsigned char reserved_bits = 0x70;
constexpr unsigned char compressed_bit = 0x40;
constexpr unsigned char mask_bit = 0x80;
constexpr unsigned length_of_two = 126;
constexpr unsigned length_of_eight = 127;

read_head refused(const char* why) noexcept { return {read_head::outcome::refused, 0, {}, why}; }

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char one : bytes) value = value << 8 | static_cast<unsigned char>(one);
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

bool is_known(unsigned code) noexcept { return code <= 2 || (code >= 8 && code <= 10); }

}  // namespace

read_head parse_frame_head(std::string_view bytes, bool must_be_masked, bool is_compression_agreed) noexcept {
  constexpr read_head more{read_head::outcome::more, 0, {}, ""};
  if (bytes.size() < 2) return more;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  read_head got{read_head::outcome::done, 2, {}, ""};
  if (!is_known(first & 0x0f)) return refused("an unknown opcode");
  const unsigned code = first & 0x0f;
  const bool may_be_compressed = is_compression_agreed && (code == 1 || code == 2);
  got.head.is_compressed = may_be_compressed && (first & compressed_bit) != 0;
  if ((first & reserved_bits) != (got.head.is_compressed ? compressed_bit : 0))
    return refused("a reserved bit is set");
  got.head.what = static_cast<opcode>(first & 0x0f);
  got.head.is_final = (first & final_bit) != 0;
  const bool is_masked = (second & mask_bit) != 0;
  if (is_masked != must_be_masked)
    return refused(must_be_masked ? "a frame without a mask" : "a masked frame");
  const unsigned length = second & 0x7f;
  got.head.payload_bytes = length;
  if (is_control(got.head.what)) {
    if (!got.head.is_final) return refused("a control frame in pieces");
    if (length > control_bytes_max) return refused("a control frame of more than 125 bytes");
  }
  if (length >= length_of_two) {
    const std::size_t size = length == length_of_two ? 2 : 8;
    if (bytes.size() < got.bytes + size) return more;
    got.head.payload_bytes = big_endian(bytes.substr(got.bytes, size));
    got.bytes += size;
    const std::uint64_t least = size == 2 ? length_of_two : 0x10000;
    if (got.head.payload_bytes < least) return refused("a length that is written longer than it needs to be");
    if (got.head.payload_bytes >> 63 != 0) return refused("a length beyond 2^63");
  }
  if (is_masked) {
    if (bytes.size() < got.bytes + 4) return more;
    got.head.mask.emplace();
    std::memcpy(got.head.mask->data(), bytes.data() + got.bytes, 4);
    got.bytes += 4;
  }
  return got;
}

void append_frame_head(std::string& out, const frame_head& head) {
  out += static_cast<char>((head.is_final ? final_bit : 0) | (head.is_compressed ? compressed_bit : 0) |
                           static_cast<unsigned char>(head.what));
  const unsigned char masked = head.mask ? mask_bit : 0;
  if (head.payload_bytes < length_of_two) {
    out += static_cast<char>(masked | head.payload_bytes);
  } else if (head.payload_bytes <= 0xffff) {
    out += static_cast<char>(masked | length_of_two);
    append_big_endian(out, head.payload_bytes, 2);
  } else {
    out += static_cast<char>(masked | length_of_eight);
    append_big_endian(out, head.payload_bytes, 8);
  }
  if (head.mask) out.append(head.mask->data(), head.mask->size());
}

void apply_mask(char* bytes, std::size_t count, const frame_mask& mask, std::uint64_t offset) noexcept {
  std::array<char, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(offset + i) % 4];
  std::uint64_t eight_of_mask;
  std::memcpy(&eight_of_mask, turned.data(), 8);
  std::size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + at, 8);
    eight ^= eight_of_mask;
    std::memcpy(bytes + at, &eight, 8);
  }
  for (; at < count; ++at) bytes[at] = static_cast<char>(bytes[at] ^ turned[at % 8]);
}

bool is_close_code(int code) noexcept {
  const bool is_defined = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
  return is_defined || (code >= 3000 && code <= 4999);
}

}  // namespace weft::inline v1::http::detail
