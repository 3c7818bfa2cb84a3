#include <weft/wire/json.hpp>

#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <gtest/gtest.h>

#include "support/codec_samples.hpp"

namespace {

using samples::colour;
using samples::person;
using weft::wire::from_json;
using weft::wire::to_json;

template <typename T>
T round_trip(const T& value) {
  return from_json<T>(to_json(value));
}

template <typename T>
std::string failure_of(std::string_view text) {
  try {
    (void)from_json<T>(text);
  } catch (const weft::error& problem) {
    EXPECT_EQ(problem.code(), weft::errc::malformed);
    return problem.what();
  }
  return "no failure";
}

TEST(json, keeps_all_64_bits_of_integers) {
  using limits = std::numeric_limits<std::int64_t>;
  EXPECT_EQ(to_json(limits::min()), "-9223372036854775808");
  EXPECT_EQ(round_trip(limits::min()), limits::min());
  EXPECT_EQ(round_trip(limits::max()), limits::max());
  EXPECT_EQ(round_trip(std::numeric_limits<std::uint64_t>::max()), 18446744073709551615U);
  EXPECT_EQ(from_json<std::uint64_t>("9007199254740993"), 9007199254740993U);
}

TEST(json, keeps_doubles_exactly) {
  for (const double value : {0.1, -0.0, 3.0, 1e22, 5e-324, 1.7976931348623157e308, 0.30000000000000004,
                             9007199254740993.0, 123456789.12345679, 2.2250738585072011e-308}) {
    const double again = round_trip(value);
    EXPECT_EQ(again, value);
    EXPECT_EQ(std::signbit(again), std::signbit(value));
  }
  EXPECT_EQ(to_json(3.0), "3.0");
}

TEST(json, refuses_doubles_that_are_not_finite) {
  EXPECT_THROW((void)to_json(std::nan("")), weft::error);
  EXPECT_THROW((void)to_json(std::numeric_limits<double>::infinity()), weft::error);
  EXPECT_NE(failure_of<double>("1e400").find("not JSON"), std::string::npos);
}

TEST(json, escapes_text_and_takes_it_back) {
  const std::string text("a\"b\\c\n\t\x01\x7f\0 \xC3\xA4 \xF0\x9F\x98\x80", 18);
  EXPECT_EQ(to_json(std::string("\"\x01\n")), "\"\\\"\\u0001\\n\"");
  EXPECT_EQ(to_json(std::string("/\x7f")), "\"/\x7f\"");
  EXPECT_EQ(round_trip(text), text);
  EXPECT_EQ(from_json<std::string>("\"\\u00e4\\ud83d\\ude00\""), "\xC3\xA4\xF0\x9F\x98\x80");
}

TEST(json, refuses_text_that_is_not_utf8_both_ways) {
  for (const char* bad : {"\xff", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\x80"}) {
    EXPECT_THROW((void)to_json(std::string(bad)), weft::error) << bad;
    EXPECT_NE(failure_of<std::string>('"' + std::string(bad) + '"'), "no failure");
  }
  EXPECT_NE(failure_of<std::string>("\"\\ud800\""), "no failure");
}

TEST(json, writes_bytes_as_base64_text) {
  const weft::bytes data{std::byte{0}, std::byte{255}, std::byte{10}, std::byte{7}};
  EXPECT_EQ(to_json(data), "\"AP8KBw==\"");
  EXPECT_EQ(round_trip(data), data);
  EXPECT_EQ(failure_of<weft::bytes>("\"AP8KBw=\""),
            "decode: $: expected bytes as base64 text, found other text");
}

TEST(json, writes_described_structs_as_objects) {
  EXPECT_EQ(to_json(samples::some_person()),
            R"({"id":42,"name":"Ada","mail":null,"tags":["a","b"],"favourite":"green"})");
  EXPECT_EQ(round_trip(samples::some_person()), samples::some_person());
}

TEST(json, ignores_members_that_the_struct_does_not_have) {
  const auto read = from_json<person>(
      R"({"new":{"deep":[1,{"x":null}]},"favourite":"red","tags":[],"id":1,"name":"x","more":2.5})");
  EXPECT_EQ(read.id, 1);
  EXPECT_EQ(read.favourite, colour::red);
}

TEST(json, names_the_path_of_what_is_wrong) {
  EXPECT_EQ(failure_of<person>(R"({"id":1,"tags":[],"favourite":"red"})"), "decode: $.name: missing");
  EXPECT_EQ(failure_of<person>(R"({"id":"1"})"), "decode: $.id: expected an integer, found text");
  EXPECT_EQ(failure_of<person>(R"({"tags":["a",7]})"), "decode: $.tags[1]: expected text, found an integer");
  EXPECT_EQ(failure_of<person>(R"({"favourite":"blue"})"),
            "decode: $.favourite: \"blue\" is not a name of this enumeration");
  using people = std::map<std::string, std::vector<person>>;
  EXPECT_EQ(failure_of<people>(R"({"people":[{"id":1,"name":"x","tags":[],"favourite":"red"},{"id":2.5}]})"),
            "decode: $.people[1].id: expected an integer, found a fractional number");
  EXPECT_EQ(failure_of<people>("{\"a\\\"\\u0000 b\":1}"),
            "decode: $[\"a?? b\"]: expected a list, found an integer");
}

TEST(json, takes_defaults_only_where_the_struct_says_so) {
  const auto read = from_json<samples::settings>(R"({"port":8080})");
  EXPECT_EQ(read.port, 8080);
  EXPECT_TRUE(read.fast);
}

TEST(json, loses_nothing_into_narrower_types) {
  EXPECT_EQ(failure_of<std::int8_t>("128"), "decode: $: out of range: 128 is not in -128..127");
  EXPECT_EQ(failure_of<unsigned>("-1"), "decode: $: out of range: -1 is negative");
  EXPECT_EQ(failure_of<std::int64_t>("9223372036854775808"), "decode: $: out of range: above 2^63-1");
  EXPECT_EQ(failure_of<int>("3.0"), "decode: $: expected an integer, found a fractional number");
  EXPECT_EQ(from_json<double>("9007199254740992"), 9007199254740992.0);
  EXPECT_NE(failure_of<double>("9007199254740993"), "no failure");
  EXPECT_EQ(from_json<float>("0.5"), 0.5F);
  EXPECT_NE(failure_of<float>("0.1"), "no failure");
  EXPECT_NE(failure_of<float>("1e300"), "no failure");
  EXPECT_NE(failure_of<bool>("1"), "no failure");
}

TEST(json, keeps_containers) {
  const std::map<std::string, std::deque<int>> by_text{{"a", {1, 2}}, {"b", {}}};
  EXPECT_EQ(round_trip(by_text), by_text);
  const std::unordered_map<int, std::string> by_number{{3, "c"}, {1, "a"}, {2, "b"}};
  EXPECT_EQ(to_json(by_number), R"([[1,"a"],[2,"b"],[3,"c"]])");
  EXPECT_EQ(round_trip(by_number), by_number);
  const std::unordered_set<std::string> names{"y", "x"};
  EXPECT_EQ(to_json(names), R"(["x","y"])");
  EXPECT_EQ(round_trip(names), names);
  EXPECT_EQ(round_trip(std::vector<bool>{true, false}), (std::vector<bool>{true, false}));
  EXPECT_EQ(round_trip(std::array<int, 3>{1, 2, 3}), (std::array<int, 3>{1, 2, 3}));
  EXPECT_EQ((round_trip(std::tuple<int, std::string>{1, "x"})), (std::tuple<int, std::string>{1, "x"}));
}

TEST(json, refuses_what_occurs_twice_where_it_would_be_lost) {
  EXPECT_EQ(failure_of<std::set<int>>("[1,1]"), "decode: $[1]: occurs twice in a set");
  EXPECT_EQ((failure_of<std::map<int, int>>("[[1,2],[1,3]]")), "decode: $[1][0]: this key occurs twice");
}

TEST(json, lets_the_last_member_of_a_name_win) {
  EXPECT_EQ((from_json<std::map<std::string, int>>(R"({"a":1,"a":2})")),
            (std::map<std::string, int>{{"a", 2}}));
  EXPECT_EQ(from_json<samples::settings>(R"({"port":1,"port":2})").port, 2);
}

TEST(json, checks_the_length_of_fixed_lists) {
  using pair = std::pair<int, int>;
  EXPECT_EQ(failure_of<pair>("[1]"), "decode: $: expected a list of 2, found one of 1");
  EXPECT_EQ(failure_of<pair>("[1,2,3]"), "decode: $[2]: expected a list of 2, found a longer one");
}

TEST(json, keeps_the_alternative_of_a_variant) {
  using value = std::variant<std::monostate, int, std::string, double>;
  for (const value& one : {value{}, value{7}, value{"x"}, value{7.0}}) EXPECT_EQ(round_trip(one), one);
  EXPECT_EQ(to_json(value{"x"}), R"([2,"x"])");
  EXPECT_EQ(failure_of<value>("[4,1]"), "decode: $[0]: out of range: 4 is not in 0..3");
}

TEST(json, keeps_times_and_durations) {
  using namespace std::chrono;
  const system_clock::time_point now(nanoseconds(1700000000123456789));
  EXPECT_EQ(round_trip(now), now);
  EXPECT_EQ(to_json(milliseconds(1500)), "1500000000");
  EXPECT_EQ(from_json<microseconds>("1500000000"), milliseconds(1500));
  EXPECT_EQ(failure_of<seconds>("1500000000"), "decode: $: not a whole number of ticks of 1/1 s");
  EXPECT_EQ(round_trip(hours(3)), hours(3));
  EXPECT_EQ((round_trip(duration<double>(0.25))), (duration<double>(0.25)));
  EXPECT_THROW((void)to_json(hours(3'000'000)), weft::error);
}

TEST(json, keeps_failures_with_their_causes) {
  const weft::failure cause{weft::errc::timed_out, "t", "no answer", "host", {}, {}};
  const weft::failure outer{weft::errc::unavailable, "", "mail not sent", "", {}, {cause}};
  const auto again = round_trip(outer);
  EXPECT_EQ(again.chain(), "mail not sent: caused by: no answer");
  EXPECT_EQ(again.causes.at(0).code, weft::errc::timed_out);
  EXPECT_EQ(from_json<weft::failure>(R"({"code":"of_the_future","message":"x"})").code, weft::errc::unknown);
}

TEST(json, refuses_what_is_not_one_json_value) {
  for (const char* bad : {"", " ", "[1,]", "{\"a\":}", "[1] 2", "nul", "+1", "01", "'a'", "[1",
                          "\xEF\xBB\xBF"
                          "1",
                          "// x\n1", "NaN", "\"\n\""}) {
    EXPECT_NE(failure_of<std::optional<int>>(bad).find("decode: not JSON at line"), std::string::npos) << bad;
  }
  EXPECT_EQ(from_json<int>(" 1\n"), 1);
}

TEST(json, is_bounded_in_depth_and_size) {
  std::string deep;
  for (int i = 0; i < 65; ++i) deep = '[' + deep + ']';
  EXPECT_NE(failure_of<samples::tree>(deep), "no failure");
  EXPECT_THROW((void)from_json<int>("1234", {.bytes_max = 3}), weft::error);
  samples::tree root;
  for (int i = 0; i < 40; ++i) root = samples::tree{"x", {root}};
  EXPECT_THROW((void)to_json(root), weft::error);
}

TEST(json, keeps_text_that_crosses_inner_buffers) {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += i % 7 == 0 ? "\n" : "x";
  EXPECT_EQ(round_trip(std::vector<std::string>{text, text}), (std::vector<std::string>{text, text}));
  EXPECT_EQ((round_trip(std::map<std::string, int>{{text, 1}})), (std::map<std::string, int>{{text, 1}}));
}

TEST(json, bytes_that_are_no_utf8_are_named_as_such) {
  try {
    weft::wire::from_json<std::string>("\"Zo\xff\"");
    FAIL();
  } catch (const weft::error& bad) {
    EXPECT_EQ(bad.code(), weft::errc::malformed);
    EXPECT_NE(std::string(bad.what()).find("not valid UTF-8"), std::string::npos) << bad.what();
  }
}

}  // namespace
