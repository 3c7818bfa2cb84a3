#include <weft/wire/json_stream.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include <weft/core/error.hpp>

namespace {

using weft::wire::json_stream;
using weft::wire::json_value;

constexpr std::size_t bytes_max = 10'000;

// What comes out: the values, and the refusal that ended it.
struct outcome {
  std::vector<json_value> values;
  std::optional<weft::errc> refused;
  bool operator==(const outcome&) const = default;
};

outcome read_in_pieces(std::string_view text, const std::vector<std::size_t>& lengths) {
  json_stream stream(bytes_max);
  outcome all;
  try {
    for (std::size_t i = 0; !text.empty(); ++i) {
      const std::size_t length = std::min(lengths[i % lengths.size()], text.size());
      stream.append(text.substr(0, length));
      text.remove_prefix(length);
      while (auto value = stream.next()) all.values.push_back(std::move(*value));
    }
  } catch (const weft::error& refused) {
    all.refused = refused.code();
  }
  return all;
}

outcome read_whole(std::string_view text) { return read_in_pieces(text, {text.size() + 1}); }

const std::string several = R"(["do",{},"echo","λ😀 ]}\"[{\\"] [ [] ]
{"a":"\\\"","b":[1,{"c":"\ud83d\ude00"}]}	["do",{}][1.5e3,18446744073709551616])";

TEST(json_stream, values_follow_each_other_with_nothing_or_white_space_between) {
  const auto all = read_whole(several);
  EXPECT_FALSE(all.refused);
  ASSERT_EQ(all.values.size(), 5U);
  EXPECT_EQ(to_text(all.values[1]), "[[]]");
  EXPECT_EQ(to_text(all.values[4]), R"([1500.0,"18446744073709551616"])");
}

TEST(json_stream, a_number_too_large_for_a_double_is_infinite) {
  const auto all = read_whole("[1e400,-1e400,{\"a\":1.5e99999}][1]");
  EXPECT_FALSE(all.refused);
  ASSERT_EQ(all.values.size(), 2U);
  const auto& numbers = *all.values[0].if_list();
  constexpr double huge = std::numeric_limits<double>::infinity();
  EXPECT_EQ(*numbers[0].if_number(), huge);
  EXPECT_EQ(*numbers[1].if_number(), -huge);
  EXPECT_EQ(*numbers[2].if_object()->find("a")->if_number(), huge);
}

TEST(json_stream, any_split_in_two_gives_the_same_values) {
  const auto whole = read_whole(several);
  for (std::size_t cut = 1; cut < several.size(); ++cut) {
    EXPECT_EQ(read_in_pieces(several, {cut, several.size()}), whole) << cut;
  }
}

TEST(json_stream, one_byte_at_a_time_gives_the_same_values) {
  EXPECT_EQ(read_in_pieces(several, {1}), read_whole(several));
}

TEST(json_stream, random_splits_of_random_bytes_give_the_same_outcome) {
  std::mt19937 random(1);
  const std::string_view alphabet = "[[[]]]{}\"\"\\,,:1 \nae\xc3\xa4";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto left = random() % 24; left > 0; --left) text += alphabet[random() % alphabet.size()];
    std::vector<std::size_t> lengths;
    for (int i = 0; i < 5; ++i) lengths.push_back(1 + random() % 6);
    EXPECT_EQ(read_in_pieces(text, lengths), read_whole(text)) << text;
  }
}

TEST(json_stream, what_cannot_begin_a_value_is_found_at_once) {
  for (const char* bad : {",", "[1],[2]", "\x89]weft", "1", "\"x\"", "]", "null", "\xEF\xBB\xBF[]"}) {
    EXPECT_EQ(read_whole(bad).refused, weft::errc::malformed) << bad;
  }
  EXPECT_EQ(read_whole("[1],[2]").values.size(), 1U);
}

TEST(json_stream, what_is_wrong_inside_is_found_at_the_last_bracket) {
  for (const char* bad : {"[1,}", "[tru]", "[\"\\ud800\"]", "[\"\xff\"]", "{\"a\"]", "[1,]"}) {
    EXPECT_EQ(read_whole(bad).refused, weft::errc::malformed) << bad;
    EXPECT_EQ(read_whole(std::string_view(bad).substr(0, std::string_view(bad).size() - 1)).refused,
              std::nullopt);
  }
}

TEST(json_stream, values_before_a_wrong_one_come_out) {
  const auto all = read_whole("[1][2][x]");
  EXPECT_EQ(all.values.size(), 2U);
  EXPECT_EQ(all.refused, weft::errc::malformed);
}

TEST(json_stream, nesting_is_bounded_before_the_value_is_complete) {
  EXPECT_EQ(read_whole(std::string(512, '[') + std::string(512, ']')).values.size(), 1U);
  EXPECT_EQ(read_whole(std::string(512, '[')).refused, std::nullopt);
  EXPECT_EQ(read_whole(std::string(513, '[')).refused, weft::errc::too_large);
}

TEST(json_stream, a_value_is_bounded_in_length_whole_or_in_pieces) {
  const std::string fits = "[\"" + std::string(bytes_max - 4, 'x') + "\"]";
  EXPECT_EQ(read_whole(fits + fits).values.size(), 2U);
  EXPECT_EQ(read_in_pieces(fits + fits, {7}).values.size(), 2U);
  const std::string longer = "[\"" + std::string(bytes_max - 3, 'x') + "\"]";
  EXPECT_EQ(read_whole(longer).refused, weft::errc::too_large);
  EXPECT_EQ(read_in_pieces(longer, {7}).refused, weft::errc::too_large);
}

TEST(json_stream, the_first_byte_of_a_value_shows_before_it_is_read) {
  json_stream stream(bytes_max);
  EXPECT_EQ(stream.first_byte(), std::nullopt);
  stream.append(" \n");
  EXPECT_EQ(stream.first_byte(), std::nullopt);
  stream.append("[1]\x89rest");
  EXPECT_EQ(stream.first_byte(), '[');
  EXPECT_TRUE(stream.next());
  EXPECT_EQ(stream.first_byte(), '\x89');
  EXPECT_EQ(stream.take_rest(), "\x89rest");
  EXPECT_TRUE(stream.is_empty());
}

}  // namespace
