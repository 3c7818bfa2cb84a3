#include "http/websocket/frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weft::http::detail {
namespace {

using outcome = read_head::outcome;
using namespace std::string_literals;

class frame_sizes : public testing::TestWithParam<std::uint64_t> {};

TEST_P(frame_sizes, are_written_and_read_at_any_split) {
  for (const bool masked : {false, true}) {
    frame_head head{.what = opcode::binary, .is_final = false, .payload_bytes = GetParam(), .mask = {}};
    if (masked) head.mask = frame_mask{'a', '\0', '\xff', 'd'};
    std::string bytes;
    append_frame_head(bytes, head);
    ASSERT_LE(bytes.size(), frame_head_bytes_max);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
      EXPECT_EQ(parse_frame_head(std::string_view(bytes).substr(0, cut), masked).how, outcome::more) << cut;
    const read_head got = parse_frame_head(bytes + "more", masked);
    EXPECT_EQ(got.how, outcome::done);
    EXPECT_EQ(got.bytes, bytes.size());
    EXPECT_EQ(got.head.what, opcode::binary);
    EXPECT_FALSE(got.head.is_final);
    EXPECT_EQ(got.head.payload_bytes, GetParam());
    EXPECT_EQ(got.head.mask, head.mask);
  }
}

INSTANTIATE_TEST_SUITE_P(all, frame_sizes,
                         testing::Values(0, 1, 125, 126, 127, 0xffff, 0x10000, 0x7fffffffffffffff));

struct bad_head {
  const char* name;
  std::string bytes;
  bool must_be_masked = false;
};

const bad_head bad_heads[] = {
    {"first_reserved_bit", "\xc1\x00"s},
    {"second_reserved_bit", "\xa1\x00"s},
    {"third_reserved_bit", "\x91\x00"s},
    {"opcode_3", "\x83\x00"s},
    {"opcode_7", "\x87\x00"s},
    {"opcode_11", "\x8b\x00"s},
    {"opcode_15", "\x8f\x00"s},
    {"ping_in_pieces", "\x09\x00"s},
    {"close_in_pieces", "\x08\x00"s},
    {"ping_of_126_bytes", "\x89\x7e\x00\x7e"s},
    {"close_of_eight_length_bytes", "\x88\x7f"s},
    {"two_length_bytes_for_125", "\x82\x7e\x00\x7d"s},
    {"eight_length_bytes_for_65535", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"s},
    {"length_beyond_2_to_the_63", "\x82\x7f\x80\x00\x00\x00\x00\x01\x00\x00"s},
    {"no_mask", "\x81\x05"s, true},
    {"a_mask", "\x81\x85"s, false},
};

class refused_heads : public testing::TestWithParam<bad_head> {};

TEST_P(refused_heads, are_refused) {
  const read_head got = parse_frame_head(GetParam().bytes, GetParam().must_be_masked);
  EXPECT_EQ(got.how, outcome::refused);
  EXPECT_NE(got.why, ""s);
}

INSTANTIATE_TEST_SUITE_P(table, refused_heads, testing::ValuesIn(bad_heads),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(frame_masks, turn_each_byte_by_its_place_in_the_payload) {
  const frame_mask mask{'\x12', '\x00', '\xff', '\x81'};
  std::string plain;
  for (int i = 0; i < 64; ++i) plain += static_cast<char>(i * 37);
  std::string expected = plain;
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = static_cast<char>(expected[i] ^ mask[i % 4]);
  for (std::size_t first = 0; first <= plain.size(); ++first) {
    std::string turned = plain;
    apply_mask(turned.data(), first, mask, 0);
    apply_mask(turned.data() + first, turned.size() - first, mask, first);
    EXPECT_EQ(turned, expected) << first;
  }
}

TEST(frame_close_codes, are_those_that_may_be_sent) {
  for (const int good : {1000, 1001, 1002, 1003, 1007, 1014, 3000, 4999})
    EXPECT_TRUE(is_close_code(good)) << good;
  for (const int bad : {0, 999, 1004, 1005, 1006, 1015, 1100, 2999, 5000, 65535})
    EXPECT_FALSE(is_close_code(bad)) << bad;
}

}  // namespace
}  // namespace weft::http::detail
