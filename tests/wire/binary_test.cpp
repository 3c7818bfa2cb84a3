#include <weft/wire/binary.hpp>

#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "support/codec_samples.hpp"

namespace {

using weft::wire::from_binary;
using weft::wire::to_binary;

weft::bytes raw(std::initializer_list<int> values) {
  weft::bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

template <typename T>
T round_trip(const T& value) {
  return from_binary<T>(to_binary(value));
}

template <typename T>
std::string failure_of(const weft::bytes& data) {
  try {
    (void)from_binary<T>(data);
  } catch (const weft::error& problem) {
    EXPECT_EQ(problem.code(), weft::errc::malformed);
    return problem.what();
  }
  return "no failure";
}

TEST(binary, has_the_documented_bytes) {
  EXPECT_EQ(to_binary(std::optional<int>()), raw({0}));
  EXPECT_EQ(to_binary(true), raw({2}));
  EXPECT_EQ(to_binary(300), raw({3, 0xAC, 2}));
  EXPECT_EQ(to_binary(300U), raw({3, 0xAC, 2}));
  EXPECT_EQ(to_binary(-1), raw({4, 0}));
  EXPECT_EQ(to_binary(1.5), raw({5, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F}));
  EXPECT_EQ(to_binary(std::string("ab")), raw({6, 2, 'a', 'b'}));
  EXPECT_EQ(to_binary(raw({9})), raw({7, 1, 9}));
  EXPECT_EQ(to_binary(std::vector<int>{1}), raw({8, 1, 3, 1}));
  EXPECT_EQ((to_binary(std::map<std::string, int>{{"k", 1}})), raw({9, 1, 1, 'k', 3, 1}));
}

TEST(binary, keeps_values) {
  EXPECT_EQ(round_trip(samples::some_person()), samples::some_person());
  EXPECT_EQ(round_trip(std::numeric_limits<std::uint64_t>::max()), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(round_trip(std::numeric_limits<std::int64_t>::min()), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(round_trip(raw({0, 255})), raw({0, 255}));
}

TEST(binary, refuses_every_cut_of_a_value) {
  const auto whole = to_binary(samples::some_person());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const weft::bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(failure_of<samples::person>(cut), "no failure") << size;
  }
}

TEST(binary, refuses_second_spellings) {
  EXPECT_EQ(failure_of<int>(raw({3, 0x81, 0})), "decode: $: a number is not in its shortest form");
  EXPECT_EQ(failure_of<int>(raw({3, 1, 0})), "decode: $: 1 bytes follow the value");
  EXPECT_EQ(failure_of<int>(raw({10})), "decode: $: unknown tag 10");
  EXPECT_EQ(failure_of<std::uint64_t>(raw({3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2})),
            "decode: $: a number has more than 64 bits");
  EXPECT_EQ(failure_of<std::int64_t>(raw({4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})),
            "decode: $: an integer is below -2^63");
  EXPECT_EQ(failure_of<std::string>(raw({6, 1, 0xFF})), "decode: $: a text is not UTF-8");
  EXPECT_EQ(failure_of<double>(raw({5, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F})),
            "decode: $: a double is infinite or not a number");
}

TEST(binary, believes_no_count_beyond_its_bytes) {
  EXPECT_EQ(failure_of<std::vector<int>>(raw({8, 255, 255, 255, 255, 15})),
            "decode: $: the bytes end inside a list or object");
  EXPECT_EQ(failure_of<std::string>(raw({6, 255, 255, 255, 255, 15, 'a'})),
            "decode: $: the bytes end inside a text or byte string");
}

}  // namespace
