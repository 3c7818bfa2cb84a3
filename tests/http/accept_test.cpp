#include <weft/http/accept.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft::http {
namespace {

/// "value|parameters|quality", with a space between elements.
std::string told(std::string_view list) {
  std::string made;
  while (const auto one = next_accepted(list)) {
    made += made.empty() ? "" : " ";
    made += std::string(one->value) + "|" + std::string(one->parameters) + "|" + std::to_string(one->quality);
  }
  return made;
}

TEST(http_accept, elements_are_taken_apart) {
  EXPECT_EQ(told("text/html"), "text/html||1000");
  EXPECT_EQ(told("text/html;q=0.5 , */*;q=0.001,gzip"), "text/html||500 */*||1 gzip||1000");
  EXPECT_EQ(told("a/b;version=1.0.0;charset=\"x,;\\\"y\" ; Q=0.25;ignored=1"),
            "a/b|version=1.0.0;charset=\"x,;\\\"y\"|250");
  EXPECT_EQ(told("a/b;;v=1;"), "a/b|;v=1|1000");
  EXPECT_EQ(told(""), "");
}

TEST(http_accept, malformed_elements_are_left_out) {
  EXPECT_EQ(told(" , ,;q=1,a b,a/b/c,/b,a/,gzip;q=2,gzip;q=0.1234,gzip;q=,x;y,x;=1,x;y=a b,ok"), "ok||1000");
  EXPECT_EQ(told("a;p=\"never closed, b"), "");
  EXPECT_EQ(told("a;p=\"ends in \\"), "");
}

TEST(http_accept, parameters_are_found_by_name) {
  std::string_view list = "a/b;Version=1.0.0;empty=\"\";quoted=\"x y\";q=0";
  const auto one = next_accepted(list);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->quality, 0);
  EXPECT_EQ(one->parameter("version"), "1.0.0");
  EXPECT_EQ(one->parameter("empty"), "");
  EXPECT_EQ(one->parameter("QUOTED"), "x y");
  EXPECT_EQ(one->parameter("q"), std::nullopt);
}

}  // namespace
}  // namespace weft::http
