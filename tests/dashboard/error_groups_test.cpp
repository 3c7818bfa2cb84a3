#include "dashboard/error_groups.hpp"

#include <gtest/gtest.h>

namespace weft::dashboard {
namespace {

TEST(error_groups, messages_are_the_same_but_for_numbers_and_ids) {
  EXPECT_EQ(without_numbers("order 7 of 12 failed"), "order # of # failed");
  EXPECT_EQ(without_numbers("key 3f2a9c01d4 is gone"), "key # is gone");
  EXPECT_EQ(without_numbers("a decade, facade"), "a decade, facade") << "words are no ids";
  EXPECT_EQ(without_numbers(""), "");
}

TEST(error_groups, a_search_is_for_the_longest_part_that_stays) {
  EXPECT_EQ(steady_part("order 7 could not be paid: 402"), " could not be paid: ");
  EXPECT_EQ(steady_part("17"), "");
  EXPECT_EQ(steady_part("no number"), "no number");
  EXPECT_EQ(steady_part(std::string(200, 'x')).size(), 80U);
}

}  // namespace
}  // namespace weft::dashboard
