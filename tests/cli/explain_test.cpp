// What weft says of each code of an error, and that it says it of all.
#include "cli/explain.hpp"

#include <string>

#include <gtest/gtest.h>

#include <weft/core/error.hpp>

#include "cli/run_weft.hpp"

namespace weft::cli {
namespace {

TEST(explain, knows_all_codes_and_whether_to_try_again) {
  const auto list = weft_test::run_weft({"explain"});
  ASSERT_EQ(list.status, 0);
  for (int number = 0; number <= static_cast<int>(errc::internal); ++number) {
    const auto code = static_cast<errc>(number);
    const std::string name(to_string(code));
    EXPECT_NE(("\n" + list.out).find("\n" + name + ' '), std::string::npos) << name;
    const auto said = weft_test::run_weft({"explain", name});
    EXPECT_EQ(said.status, 0) << name;
    EXPECT_TRUE(said.out.starts_with(name + "\n\n")) << said.out;
    EXPECT_NE(said.out.find("\nWhat to do: "), std::string::npos) << name;
    EXPECT_EQ(said.out.find("\nAgain? Yes") != std::string::npos, is_retryable(code)) << name;
    EXPECT_EQ(said.out.find("##"), std::string::npos) << "the next one";
  }
}

TEST(explain, knows_no_code_that_weft_does_not) {
  const auto text = error_catalogue();
  for (auto at = text.find("\n## "); at != std::string_view::npos; at = text.find("\n## ", at + 1)) {
    const auto name = text.substr(at + 4, text.find('\n', at + 4) - at - 4);
    EXPECT_TRUE(name == "unknown" || errc_from_string(name) != errc::unknown) << name;
  }
}

TEST(explain, of_a_code_that_is_none_says_which_was_meant) {
  const auto done = weft_test::run_weft({"explain", "time_out"});
  EXPECT_EQ(done.status, 1);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "weft explain: there is no error code \"time_out\"; did you mean timed_out?\n");
}

}  // namespace
}  // namespace weft::cli
