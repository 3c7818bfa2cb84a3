#include <weft/wire/utf8.hpp>

#include <array>
#include <cstdint>
#include <cstring>

#include <weft/core/error.hpp>

namespace weft::inline v1::wire {
namespace {

// Length of the sequence at the front, 0 where there is none. Ranges of the second byte: Unicode 15, table
// 3-7.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

// How many bytes at the front are ASCII, in whole words: most texts are nothing else. Several words at a
// time, which the compiler does in one step.
template <std::size_t Words>
std::size_t ascii_blocks(std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  for (std::array<std::uint64_t, Words> block{}; at + sizeof block <= text.size(); at += sizeof block) {
    std::memcpy(block.data(), text.data() + at, sizeof block);
    std::uint64_t all = 0;
    for (const std::uint64_t word : block) all |= word;
    if ((all & high_bits) != 0) break;
  }
  return at;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    text.remove_prefix(ascii_blocks<8>(text));
    text.remove_prefix(ascii_blocks<1>(text));
    if (text.empty()) break;
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void require_utf8(std::string_view text) {
  if (is_utf8(text)) return;
  throw error(errc::invalid_argument, "encode: a text of " + std::to_string(text.size()) +
                                          " bytes is not UTF-8; use weft::bytes for raw bytes");
}

}  // namespace weft::inline v1::wire
