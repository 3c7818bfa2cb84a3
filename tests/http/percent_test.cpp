#include <weft/http/request.hpp>

#include <gtest/gtest.h>

namespace weft::http {
namespace {

TEST(percent, decodes_what_it_encoded) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
}

TEST(percent, refuses_broken_encodings) {
  for (const char* const text : {"%", "%4", "%zz", "a%4g", "%%41"})
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(form_value, finds_the_first_value_of_a_name) {
  EXPECT_EQ(form_value("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(form_value("a=1&b=two+%26+more", "b"), "two & more");
  EXPECT_EQ(form_value("a&b=", "a"), "");
  EXPECT_EQ(form_value("a&b=", "b"), "");
  EXPECT_EQ(form_value("%61=x", "a"), "x");
  EXPECT_EQ(form_value("a=1", "b"), std::nullopt);
  EXPECT_EQ(form_value("a=%zz", "a"), std::nullopt);
  EXPECT_EQ(form_value("", "a"), std::nullopt);
}

}  // namespace
}  // namespace weft::http
