#include "jobs/queue_shares.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace weft::jobs {
namespace {

/// What a store does: it fills the claim from the queues in their order.
std::vector<claimed_job> claim(std::map<std::string, int>& waiting, const std::vector<std::string>& order,
                               std::size_t count) {
  std::vector<claimed_job> claimed;
  for (const auto& name : order) {
    for (int& left = waiting[name]; left > 0 && claimed.size() < count; --left) {
      claimed.emplace_back();
      claimed.back().queue = name;
    }
  }
  return claimed;
}

std::map<std::string, int> claim_many(queue_shares& shares, std::map<std::string, int>& waiting, int claims) {
  std::mt19937 random(7);
  std::map<std::string, int> got;
  for (int number = 0; number < claims; ++number) {
    const std::size_t count = 1 + random() % 10;
    const auto claimed = claim(waiting, shares.order(), count);
    shares.count(claimed, count, false);
    for (const auto& one : claimed) ++got[one.queue];
  }
  return got;
}

TEST(queue_shares, full_queues_share_by_their_weights) {
  queue_shares shares({{"a", 1}, {"b", 3}, {"c", 6}});
  std::map<std::string, int> waiting{{"a", 1'000'000}, {"b", 1'000'000}, {"c", 1'000'000}};
  auto got = claim_many(shares, waiting, 10'000);
  const int all = got["a"] + got["b"] + got["c"];
  EXPECT_NEAR(got["a"], all * 0.1, 20);
  EXPECT_NEAR(got["b"], all * 0.3, 20);
  EXPECT_NEAR(got["c"], all * 0.6, 20);
}

TEST(queue_shares, an_empty_queue_leaves_its_share_and_saves_nothing_up) {
  queue_shares shares({{"a", 1}, {"b", 3}, {"c", 6}});
  std::map<std::string, int> waiting{{"a", 1'000'000}, {"b", 1'000'000}};
  auto got = claim_many(shares, waiting, 10'000);
  EXPECT_NEAR(got["a"] * 3, got["b"], 80);
  waiting["c"] = 1'000'000;
  got = claim_many(shares, waiting, 1'000);
  const int all = got["a"] + got["b"] + got["c"];
  EXPECT_NEAR(got["a"], all * 0.1, 30);
  EXPECT_NEAR(got["c"], all * 0.6, 30);
}

TEST(queue_shares, after_a_claim_that_was_not_filled_nobody_is_owed_anything) {
  queue_shares shares({{"a", 1}, {"b", 1}});
  std::map<std::string, int> waiting{{"a", 500}};
  (void)claim_many(shares, waiting, 500);
  waiting = {{"a", 1000}, {"b", 1000}};
  const auto got = claim_many(shares, waiting, 100);
  EXPECT_NEAR(got.at("a"), got.at("b"), 20);
}

TEST(queue_shares, a_claim_that_was_cut_short_counts_and_owes_the_others_the_same) {
  queue_shares shares({{"a", 1}, {"b", 1}});
  std::map<std::string, int> got;
  for (int number = 0; number < 100; ++number) {
    // The first queue gives two, and then the store has moved as many jobs aside as it does at once.
    std::map<std::string, int> waiting{{shares.order().front(), 2}};
    const auto claimed = claim(waiting, shares.order(), 10);
    shares.count(claimed, 10, true);
    for (const auto& one : claimed) ++got[one.queue];
  }
  EXPECT_EQ(got["a"], 100);
  EXPECT_EQ(got["b"], 100);
}

TEST(queue_shares, wrong_weights_are_refused) {
  using several = std::vector<weighted_queue>;
  for (const auto& wrong : {several{{"a", 0}}, several{{"a", 1001}}, several{{"a", 1}, {"a", 2}}}) {
    try {
      const queue_shares shares(wrong);
      FAIL() << "it was taken";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::invalid_argument);
    }
  }
}

}  // namespace
}  // namespace weft::jobs
