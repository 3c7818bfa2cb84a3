#include <gtest/gtest.h>

#include <weft/log/record.hpp>

namespace weft::log {
namespace {

record at(int time, std::string message) {
  record made;
  made.time = record_time(std::chrono::microseconds(time));
  made.message = std::move(message);
  return made;
}

std::string text_of(const std::vector<record>& records) {
  std::string all;
  for (const auto& each : records) all += each.message + " ";
  return all;
}

TEST(record_merge, orders_by_time_and_keeps_the_order_of_equal_times) {
  std::vector<record> ours{at(1, "a1"), at(5, "a5"), at(5, "a5b")};
  merge(ours, {at(0, "b0"), at(5, "b5"), at(9, "b9")});
  EXPECT_EQ(text_of(ours), "b0 a1 a5 a5b b5 b9 ");
}

TEST(record_merge, sorts_what_was_not_in_order) {
  std::vector<record> ours{at(3, "a3"), at(1, "a1")};
  merge(ours, {at(2, "b2"), at(0, "b0")});
  EXPECT_EQ(text_of(ours), "b0 a1 b2 a3 ");
}

TEST(record_merge, of_collections_appends_timers_and_lets_later_data_win) {
  collection ours;
  ours.records = {at(2, "ours")};
  ours.timers = {{"open", {}, {}}};
  ours.data = {{"user", std::string("a")}, {"size", std::int64_t{1}}};
  ours.dropped = 1;
  collection theirs;
  theirs.records = {at(1, "theirs")};
  theirs.timers = {{"hash", {}, {}}};
  theirs.data = {{"size", std::int64_t{2}}, {"done", true}};
  theirs.dropped = 2;
  merge(ours, theirs);
  EXPECT_EQ(text_of(ours.records), "theirs ours ");
  ASSERT_EQ(ours.timers.size(), 2U);
  EXPECT_EQ(ours.timers[1].name, "hash");
  const std::vector<field> expected{{"user", std::string("a")}, {"size", std::int64_t{2}}, {"done", true}};
  EXPECT_EQ(ours.data, expected);
  EXPECT_EQ(ours.dropped, 3U);
}

}  // namespace
}  // namespace weft::log
