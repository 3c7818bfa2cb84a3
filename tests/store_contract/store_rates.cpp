#include <random>
#include <vector>

#include "store_contract/store_contract.hpp"

// How often the jobs of a limit begin.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000;

moment at(std::int64_t micros) { return moment(std::chrono::microseconds(micros)); }

new_job rated(new_job one, const rate_options& rate, const std::string& key = "tenant") {
  one.limit = limit_options{key, 1000, rate};
  return one;
}

}  // namespace

TEST_P(store_contract, a_rate_lets_its_burst_begin_and_then_one_for_each_token) {
  const rate_options one_a_second{1, 1s, 2};
  for (std::int64_t id = 1; id <= 6; ++id) push(rated(job(id), one_a_second));
  push(job(7));
  const auto first = by_id(claim(10, second));
  ASSERT_EQ(first.jobs.size(), 3U);
  EXPECT_EQ(first.jobs[2].id, job_id{7}) << "others pass";
  EXPECT_EQ(state_of(job_id{3}), job_state::blocked);
  EXPECT_EQ(first.next_due, at(2 * second));
  EXPECT_TRUE(store_->finish(end(first.jobs[0], next_step::done, second + 1)));
  EXPECT_TRUE(claim(10, 2 * second - 1).jobs.empty()) << "an end makes no token";
  const auto second_one = claim(10, 2 * second);
  ASSERT_EQ(second_one.jobs.size(), 1U);
  EXPECT_EQ(second_one.jobs[0].id, job_id{3});
  EXPECT_EQ(second_one.next_due, at(3 * second));
  std::size_t after_a_pause = 0;
  for (std::size_t more = 1; more > 0; after_a_pause += more) more = claim(10, 60 * second).jobs.size();
  EXPECT_EQ(after_a_pause, 2U) << "the bucket holds no more";
}

TEST_P(store_contract, an_attempt_that_is_released_gives_its_token_back_unless_it_is_filled_up) {
  for (std::int64_t id = 1; id <= 6; ++id) push(rated(job(id), {1, 1s, 1}));
  const auto first = claim(10, second);
  ASSERT_EQ(first.jobs.size(), 1U);
  EXPECT_TRUE(store_->finish(end(first.jobs[0], next_step::released, second + 10)));
  const auto again = claim(10, second + 20);
  ASSERT_EQ(again.jobs.size(), 1U) << "the token is there again";
  EXPECT_EQ(again.jobs[0].id, job_id{1});
  EXPECT_EQ(claim(10, 5 * second).jobs.size(), 1U) << "the bucket was full for long";
  EXPECT_TRUE(store_->finish(end(again.jobs[0], next_step::released, 5 * second + 10)));
  EXPECT_TRUE(claim(10, 5 * second + 20).jobs.empty()) << "it would be the second one within a second";
}

TEST_P(store_contract, a_rate_without_a_burst_has_that_of_its_count) {
  for (std::int64_t id = 1; id <= 8; ++id) push(rated(job(id), {5, 1s}));
  const auto claimed = claim(10, second);
  EXPECT_EQ(claimed.jobs.size(), 5U);
  EXPECT_EQ(claimed.next_due, at(second + second / 5));
}

TEST_P(store_contract, a_rate_holds_for_each_key_and_the_last_push_says_it) {
  for (std::int64_t id = 1; id <= 3; ++id) push(rated(job(id), {1, 1s}));
  for (std::int64_t id = 4; id <= 6; ++id) push(rated(job(id), {2, 1s}, "other"));
  EXPECT_EQ(claim(10, second).jobs.size(), 3U);
  auto last = rated(job(7), {});
  last.created = at(second);
  push(last);
  EXPECT_EQ(claim(10, second).jobs.size(), 3U) << "this key has no rate any more";
}

TEST_P(store_contract, a_lower_rate_hands_out_no_tokens) {
  for (std::int64_t id = 1; id <= 110; ++id) push(rated(job(id), {100, 1s}));
  EXPECT_EQ(claim(200, second).jobs.size(), 100U);
  auto slower = rated(job(200), {100, 100s});
  slower.created = slower.run_at = at(second);
  push(slower);
  EXPECT_TRUE(claim(200, second).jobs.empty()) << "its bucket is as empty as it was";
  EXPECT_TRUE(claim(200, 2 * second - 1).jobs.empty());
  EXPECT_EQ(claim(200, 2 * second).jobs.size(), 1U);
}

TEST_P(store_contract, a_rate_that_is_changed_all_the_time_still_gets_its_tokens) {
  for (std::int64_t id = 1; id <= 10; ++id) push(rated(job(id), {1, 1s}));
  EXPECT_EQ(claim(10, second).jobs.size(), 1U);
  std::size_t begun = 0;
  for (std::int64_t turn = 1; turn <= 100; ++turn) {
    auto other = rated(job(100 + turn), {1, turn % 2 == 0 ? 1s : 2s});
    other.created = other.run_at = at(second + turn * second / 10);
    push(other);
    begun += claim(10, second + turn * second / 10).jobs.size();
  }
  EXPECT_GE(begun, 6U) << "between one and two seconds each";
  EXPECT_LE(begun, 8U);
}

TEST_P(store_contract, a_rate_and_room_are_both_needed) {
  for (std::int64_t id = 1; id <= 3; ++id) {
    auto one = rated(job(id), {1, 1s});
    one.limit->max = 1;
    push(one);
  }
  const auto first = claim(10, second);
  ASSERT_EQ(first.jobs.size(), 1U);
  EXPECT_FALSE(first.next_due) << "a token alone helps nobody";
  EXPECT_TRUE(claim(10, 5 * second).jobs.empty());
  EXPECT_TRUE(store_->finish(end(first.jobs[0], next_step::done, 5 * second)));
  const auto next = claim(10, 5 * second);
  ASSERT_EQ(next.jobs.size(), 1U);
  EXPECT_TRUE(store_->finish(end(next.jobs[0], next_step::done, 5 * second)));
  EXPECT_EQ(claim(10, 5 * second).next_due, at(6 * second));
}

TEST_P(store_contract, a_rate_goes_on_when_the_clock_was_set_back) {
  for (std::int64_t id = 1; id <= 3; ++id) push(rated(job(id), {1, 1s}));
  const std::int64_t hour = 3600 * second;
  EXPECT_EQ(claim(10, 2 * hour).jobs.size(), 1U);
  const auto set_back = claim(10, hour);
  EXPECT_TRUE(set_back.jobs.empty());
  EXPECT_EQ(set_back.next_due, at(hour + second)) << "that is when there is a token, and not an hour later";
  EXPECT_EQ(claim(10, hour + second).jobs.size(), 1U);
}

TEST_P(store_contract, in_any_time_no_more_begin_than_the_rate_and_its_burst_and_hardly_fewer) {
  constexpr std::int64_t per_second = 20;
  constexpr std::int64_t burst = 10;
  constexpr std::int64_t length = 60 * second;
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 1500; ++id) many.push_back(rated(job(id), {per_second, 1s, burst}));
  store_->push(many);
  std::mt19937 random(1);
  std::vector<std::int64_t> begun;
  for (std::int64_t now = 0; now < length;) {
    const auto claimed = claim(1 + random() % 7, now);
    for (const auto& one : claimed.jobs) {
      begun.push_back(now);
      EXPECT_TRUE(store_->finish(end(one, next_step::done, now)));
    }
    // A worker is late by up to a fifth of a second, and knows when to look again.
    if (!claimed.jobs.empty()) continue;
    ASSERT_TRUE(claimed.next_due);
    now = std::max(now, claimed.next_due->time_since_epoch().count()) +
          static_cast<std::int64_t>(random() % 200'000);
  }
  for (std::size_t first = 0; first < begun.size(); ++first) {
    for (std::size_t last = first; last < begun.size(); ++last) {
      const std::int64_t within = begun[last] - begun[first];
      ASSERT_LE(static_cast<std::int64_t>(last - first) + 1, within * per_second / second + burst);
    }
  }
  EXPECT_GE(begun.size(), static_cast<std::size_t>(length / second * per_second * 95 / 100));
}

TEST_P(store_contract, tokens_that_are_given_back_let_no_more_begin) {
  constexpr std::int64_t token = 10'000;  // microseconds
  constexpr std::int64_t burst = 3;
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 500; ++id) many.push_back(rated(job(id), {1, 10ms, burst}));
  store_->push(many);
  std::mt19937 random(7);
  std::vector<std::int64_t> begun;
  std::vector<claimed_job> waiting;  // claimed, and not begun
  std::size_t released = 0;
  for (std::int64_t now = 0; begun.size() < 200; now += static_cast<std::int64_t>(random() % token)) {
    for (const auto& one : claim(1 + random() % 4, now).jobs) {
      if (random() % 3 == 0) {
        waiting.push_back(one);
      } else {
        begun.push_back(now);
        EXPECT_TRUE(store_->finish(end(one, next_step::done, now)));
      }
    }
    if (waiting.empty() || random() % 2 == 0) continue;
    EXPECT_TRUE(store_->finish(end(waiting.back(), next_step::released, now)));
    waiting.pop_back();
    ++released;
  }
  for (std::size_t first = 0; first < begun.size(); ++first) {
    for (std::size_t last = first; last < begun.size(); ++last) {
      const std::int64_t within = begun[last] - begun[first];
      ASSERT_LE(static_cast<std::int64_t>(last - first) + 1, within / token + burst) << first << ' ' << last;
    }
  }
  EXPECT_GT(released, 30U);
}

}  // namespace weft::jobs
