#include <gtest/gtest.h>

#include <string>

#include <weft/core/error.hpp>
#include <weft/trace/trace_state.hpp>

namespace weft::trace {
namespace {

trace_state state_of(std::string_view header) {
  auto found = trace_state::parse(header);
  EXPECT_TRUE(found.has_value()) << header;
  return found.value_or(trace_state());
}

TEST(trace_state, keeps_the_order_and_leaves_out_blanks_and_empty_members) {
  EXPECT_EQ(state_of("foo=1 \t , \t bar=2,,\t, baz=3,").text(), "foo=1,bar=2,baz=3");
  EXPECT_TRUE(state_of("").empty());
  EXPECT_TRUE(state_of(" , ,").empty());
}

TEST(trace_state, a_blank_inside_a_value_is_part_of_it) {
  EXPECT_EQ(state_of("foo= a b ,bar=2").find("foo"), " a b");
}

TEST(trace_state, finds_members_by_their_whole_key) {
  const auto state = state_of("foo=1,fo=2");
  EXPECT_EQ(state.find("fo"), "2");
  EXPECT_EQ(state.find("f"), std::nullopt);
}

TEST(trace_state, a_member_that_is_set_moves_to_the_front) {
  const auto state = state_of("foo=1,bar=2");
  EXPECT_EQ(state.with("bar", "3").text(), "bar=3,foo=1");
  EXPECT_EQ(state.with("own@weft", "x").text(), "own@weft=x,foo=1,bar=2");
  EXPECT_EQ(state.without("foo").text(), "bar=2");
  EXPECT_EQ(state.text(), "foo=1,bar=2");
}

TEST(trace_state, refuses_to_set_what_may_not_stand_in_the_header) {
  for (const char* const key : {"", "A", "a b", "@a", "a@", "a=b", "a@1"}) {
    EXPECT_THROW(trace_state().with(key, "1"), error) << key;
  }
  for (const char* const value : {"", "a,b", "a=b", "a\tb", "end "}) {
    EXPECT_THROW(trace_state().with("a", value), error) << value;
  }
}

TEST(trace_state, a_33rd_member_takes_the_place_of_the_last) {
  std::string header;
  for (int number = 10; number < 42; ++number) {
    header += (header.empty() ? "k" : ",k") + std::to_string(number) + "=1";
  }
  const auto state = state_of(header).with("own", "1");
  EXPECT_EQ(state.text().substr(0, 12), "own=1,k10=1,");
  EXPECT_TRUE(state.find("k40"));
  EXPECT_FALSE(state.find("k41"));
}

TEST(trace_state, of_more_than_512_characters_large_members_go_first) {
  const auto large = [](const char* key) { return std::string(key) + "=" + std::string(200, 'x'); };
  std::string small;
  for (char key = 'a'; key <= 'c'; ++key) small += std::string(1, key) + "=" + std::string(98, key) + ",";
  ASSERT_EQ(small.size(), 303U);
  EXPECT_EQ(state_of(large("first") + "," + small + large("last")).text(),
            large("first") + "," + small.substr(0, 302));
}

TEST(trace_state, then_members_at_the_end_go) {
  std::string all;
  for (char key = 'a'; key <= 'f'; ++key) all += std::string(1, key) + "=" + std::string(99, key) + ",";
  EXPECT_EQ(state_of(all).text(), all.substr(0, 5 * 102 - 1));
}

}  // namespace
}  // namespace weft::trace
