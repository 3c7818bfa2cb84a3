#include "http/http_date.hpp"

#include <gtest/gtest.h>

namespace weft::http::detail {
namespace {

TEST(http_date, the_three_forms_of_the_rfc_are_one_time) {
  const std::chrono::sys_seconds when(std::chrono::seconds(784111777));
  EXPECT_EQ(http_date(when), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), when);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), when);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), when);
}

TEST(http_date, what_is_no_date_is_nothing) {
  for (const char* const text :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT", "784111777",
        "Sun, 0a Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 19"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(http_date, two_digits_of_a_year_are_at_most_fifty_years_ahead) {
  const auto soon = parse_http_date("Monday, 01-Jan-30 00:00:00 GMT");
  ASSERT_TRUE(soon);
  EXPECT_EQ(http_date(*soon).substr(12, 4), "2030");
  const auto past = parse_http_date("Monday, 01-Jan-90 00:00:00 GMT");
  ASSERT_TRUE(past);
  EXPECT_EQ(http_date(*past).substr(12, 4), "1990");
}

}  // namespace
}  // namespace weft::http::detail
