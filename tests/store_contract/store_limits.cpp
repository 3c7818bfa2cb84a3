#include <string>
#include <thread>
#include <vector>

#include "store_contract/store_contract.hpp"

// Limits that somebody looks at, and sets.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

new_job limited(new_job one, int max, const rate_options& rate = {}, const std::string& key = "tenant") {
  one.limit = limit_options{key, max, rate};
  return one;
}

}  // namespace

TEST_P(store_contract, limits_are_shown_with_what_runs_and_what_they_hold_back) {
  EXPECT_TRUE(store_->limits("", 10).empty());
  for (std::int64_t id = 1; id <= 4; ++id) push(limited(job(id), 1));
  push(limited(job(5), 7, {30, 1min, 5}, "other"));
  EXPECT_EQ(claim(10).jobs.size(), 2U);
  const auto all = store_->limits("", 10);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].is.key, "other");
  EXPECT_EQ(all[0].is.max, 7);
  EXPECT_EQ(std::chrono::nanoseconds(all[0].is.rate.period) / all[0].is.rate.count, 2s);
  EXPECT_EQ(all[0].is.rate.burst, 5);
  EXPECT_EQ(all[0].held_back, 0);
  EXPECT_EQ(all[1].is.key, "tenant");
  EXPECT_EQ(all[1].is.rate.count, 0);
  EXPECT_EQ(all[1].running, 1);
  EXPECT_EQ(all[1].held_back, 3);
  EXPECT_FALSE(all[1].pinned);
  EXPECT_EQ(store_->limits("", 1).at(0).is.key, "other");
  EXPECT_EQ(store_->limits("other", 10).at(0).is.key, "tenant");
  EXPECT_TRUE(store_->limits("tenant", 10).empty());
}

TEST_P(store_contract, a_limit_that_somebody_has_set_holds_at_once_and_whatever_pushes_say) {
  for (std::int64_t id = 1; id <= 6; ++id) push(limited(job(id), 1));
  EXPECT_EQ(claim(10).jobs.size(), 1U);
  store_->set_limit({.key = "tenant", .max = 3}, true, at(2000));
  push(limited(job(7), 1));
  EXPECT_EQ(claim(10, 2000).jobs.size(), 2U) << "so three of them run";
  EXPECT_TRUE(claim(10, 2000).jobs.empty());
  EXPECT_TRUE(store_->limits("", 1).at(0).pinned);
  EXPECT_EQ(store_->limits("", 1).at(0).is.max, 3);
  EXPECT_TRUE(store_->release_limit("tenant"));
  push(limited(job(8), 4));
  EXPECT_EQ(store_->limits("", 1).at(0).is.max, 4) << "pushes say it again";
  EXPECT_EQ(claim(10, 3000).jobs.size(), 1U);
}

TEST_P(store_contract, a_rate_can_be_set_and_taken_away) {
  for (std::int64_t id = 1; id <= 6; ++id) push(limited(job(id), 100));
  store_->set_limit({.key = "tenant", .max = 100, .rate = {2, 1s}}, true, at(1000));
  EXPECT_EQ(claim(10).jobs.size(), 2U);
  EXPECT_TRUE(claim(10).jobs.empty());
  store_->set_limit({.key = "tenant", .max = 100}, true, at(2000));
  EXPECT_EQ(claim(10, 2000).jobs.size(), 4U);
}

TEST_P(store_contract, a_limit_can_be_set_before_its_first_job_and_outlives_its_last_one) {
  store_->set_limit({.key = "tenant", .max = 1}, true, at(100));
  for (std::int64_t id = 1; id <= 2; ++id) push(limited(job(id), 9));
  const auto first = claim(10);
  EXPECT_EQ(first.jobs.size(), 1U);
  EXPECT_TRUE(store_->finish(end(first.jobs.at(0), next_step::done)));
  EXPECT_TRUE(store_->remove(job_id{2}, {}, at(2000)));
  EXPECT_EQ(store_->purge(at(9000), at(9000), 10), 1U);
  ASSERT_EQ(store_->limits("", 10).size(), 1U);
  EXPECT_EQ(store_->limits("", 10).at(0).is.max, 1);
  EXPECT_TRUE(store_->release_limit("tenant"));
  EXPECT_EQ(store_->purge(at(9000), at(9000), 10), 0U);
  EXPECT_TRUE(store_->limits("", 10).empty()) << "nothing needs it any more";
}

TEST_P(store_contract, a_released_limit_stays_as_it_is_until_the_next_push) {
  push(limited(job(1), 1));
  EXPECT_FALSE(store_->release_limit("tenant")) << "nobody has set it";
  EXPECT_FALSE(store_->release_limit("nobody's"));
  const rate_options odd{7, 1s, 3};  // no number of tokens in a second, a minute or an hour is that one
  store_->set_limit({.key = "tenant", .max = 5, .rate = odd}, true, at(1000));
  const auto set = store_->limits("", 1).at(0);
  EXPECT_TRUE(store_->release_limit("tenant"));
  const auto released = store_->limits("", 1).at(0);
  EXPECT_FALSE(released.pinned);
  EXPECT_EQ(released.is.max, 5);
  EXPECT_EQ(released.is.rate.count, set.is.rate.count);
  EXPECT_EQ(released.is.rate.period, set.is.rate.period);
  EXPECT_EQ(released.is.rate.burst, 3);
  EXPECT_FALSE(store_->release_limit("tenant")) << "it was, already";
  push(limited(job(2), 2));
  EXPECT_EQ(store_->limits("", 1).at(0).is.max, 2);
  EXPECT_EQ(store_->limits("", 1).at(0).is.rate.count, 0);
}

TEST_P(store_contract, what_somebody_sets_beside_a_release_is_whole) {
  // Whichever comes last: a release never brings back what the limit was before.
  constexpr int rounds = 50;
  store_->set_limit({.key = "tenant", .max = 1}, true, at(1000));
  std::jthread other([&] {
    for (int i = 0; i < rounds; ++i) store_->release_limit("tenant");
  });
  for (int i = 0; i < rounds; ++i) {
    store_->set_limit({.key = "tenant", .max = 2 + i}, true, at(2000));
    EXPECT_EQ(store_->limits("", 1).at(0).is.max, 2 + i);
  }
}

}  // namespace weft::jobs
