#include "../../examples/signup/csv.hpp"

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

namespace {

using signup::read_csv;

TEST(signup_csv, splits_records_and_keeps_their_lines) {
  const auto records = read_csv("a,b\r\n\"x,1\",\"said \"\"no\"\"\"\n\"two\nlines\",\n last,row");
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(records[1].fields, (std::vector<std::string>{"x,1", "said \"no\""}));
  EXPECT_EQ(records[2].fields, (std::vector<std::string>{"two\nlines", ""}));
  EXPECT_EQ(records[3].fields, (std::vector<std::string>{" last", "row"}));
  EXPECT_EQ(records[3].line, 5U);
}

TEST(signup_csv, keeps_bytes_that_are_no_text) {
  EXPECT_EQ(read_csv(std::string("\xff\0,\x80", 4)).at(0).fields.at(0), std::string("\xff\0", 2));
}

TEST(signup_csv, names_the_line_of_a_quote_that_does_not_close_or_is_followed_by_text) {
  for (const char* bad : {"ok,ok\n\"open", "ok,ok\n\"closed\"text"}) {
    try {
      read_csv(bad);
      FAIL() << bad;
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::malformed);
      EXPECT_NE(std::string(refused.what()).find("line 2"), std::string::npos) << refused.what();
    }
  }
}

TEST(signup_csv, of_nothing_has_no_records) { EXPECT_TRUE(read_csv("").empty()); }

}  // namespace
