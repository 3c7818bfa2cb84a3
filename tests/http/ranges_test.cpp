#include <weft/http/ranges.hpp>

#include <gtest/gtest.h>

namespace weft::http {
namespace {

using outcome = range_outcome;
using ranges = std::vector<byte_range>;

TEST(ranges, are_first_last_rest_and_end) {
  EXPECT_EQ(parse_ranges("bytes=0-499", 10'000).ranges, (ranges{{0, 500}}));
  EXPECT_EQ(parse_ranges("bytes=9500-", 10'000).ranges, (ranges{{9500, 500}}));
  EXPECT_EQ(parse_ranges("bytes=-500", 10'000).ranges, (ranges{{9500, 500}}));
  EXPECT_EQ(parse_ranges("BYTES=0-0", 10'000).ranges, (ranges{{0, 1}}));
  EXPECT_EQ(parse_ranges("bytes=0-0, ,-1 ,\t500-600", 10'000).ranges,
            (ranges{{0, 1}, {9999, 1}, {500, 101}}));
}

TEST(ranges, end_with_the_content) {
  EXPECT_EQ(parse_ranges("bytes=5-100", 10).ranges, (ranges{{5, 5}}));
  EXPECT_EQ(parse_ranges("bytes=-100", 10).ranges, (ranges{{0, 10}}));
  EXPECT_EQ(parse_ranges("bytes=9-18446744073709551616", 10).ranges, (ranges{{9, 1}}));
  EXPECT_EQ(parse_ranges("bytes=0-18446744073709551615", 10).ranges, (ranges{{0, 10}}));
  EXPECT_EQ(parse_ranges("bytes=-99999999999999999999999999", 10).ranges, (ranges{{0, 10}}));
  EXPECT_EQ(parse_ranges("bytes=0-1,20-30", 10).ranges, (ranges{{0, 2}}));  // what is there
}

TEST(ranges, that_are_not_there_are_unsatisfiable) {
  for (const char* const text :
       {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=10-,20-", "bytes=99999999999999999999-"})
    EXPECT_EQ(parse_ranges(text, 10).outcome, outcome::unsatisfiable) << text;
  EXPECT_EQ(parse_ranges("bytes=0-", 0).outcome, outcome::unsatisfiable);
  EXPECT_EQ(parse_ranges("bytes=-5", 0).outcome, outcome::unsatisfiable);
}

TEST(ranges, that_are_malformed_or_of_another_unit_give_everything) {
  for (const char* const text : {"", "bytes", "bytes=", "bytes=,", "bytes=a-b", "bytes=5", "bytes=5-4",
                                 "bytes=-", "bytes=--5", "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2",
                                 "bytes= 0 - 5", "lines=0-5", "bytes=0-1,x", "bytes 0-1", "bytes=1.5-2"})
    EXPECT_EQ(parse_ranges(text, 100).outcome, outcome::whole) << text;
}

TEST(ranges, that_are_many_or_overlap_give_everything) {
  std::string many = "bytes=0-0";
  for (int i = 1; i < 16; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  EXPECT_EQ(parse_ranges(many, 1000).ranges.size(), 16u);
  EXPECT_EQ(parse_ranges(many + ",16-16", 1000).outcome, outcome::whole);
  EXPECT_EQ(parse_ranges("bytes=0-,0-", 1000).outcome, outcome::whole);
  EXPECT_EQ(parse_ranges("bytes=0-499,0-500", 1000).outcome, outcome::whole);
  EXPECT_EQ(parse_ranges("bytes=0-1,2000-", 1000, 1).outcome, outcome::whole);
}

TEST(ranges, count_for_get_and_where_if_range_fits) {
  const std::chrono::sys_seconds long_ago(std::chrono::seconds(784111777));
  const validators now{.tag = entity_tag{"v1"}, .modified = long_ago};
  const auto chosen = [&](std::string_view method, std::vector<header> sent, const validators& what) {
    return choose_ranges(request({.method = method, .headers = sent}), what, 100).outcome;
  };
  const header range{"Range", "bytes=0-4"};
  EXPECT_EQ(chosen("GET", {range}, now), outcome::partial);
  EXPECT_EQ(chosen("HEAD", {range}, now), outcome::whole);
  EXPECT_EQ(chosen("POST", {range}, now), outcome::whole);
  EXPECT_EQ(chosen("GET", {range, range}, now), outcome::whole);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "\"v1\""}}, now), outcome::partial);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "\"v2\""}}, now), outcome::whole);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "W/\"v1\""}}, now), outcome::whole);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"}}, now), outcome::partial);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "Sun, 06 Nov 1994 08:49:38 GMT"}}, now), outcome::whole);
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "nonsense"}}, now), outcome::whole);
  // A second that is not over, and that no clock of nanoseconds reaches.
  const validators far_away{.modified = std::chrono::sys_days(std::chrono::year(2400) / 1 / 1)};
  EXPECT_EQ(chosen("GET", {range, {"If-Range", "Sat, 01 Jan 2400 00:00:00 GMT"}}, far_away), outcome::whole);
}

}  // namespace
}  // namespace weft::http
