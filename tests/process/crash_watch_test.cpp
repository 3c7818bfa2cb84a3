#include <weft/process/crash_watch.hpp>

#include <limits>

#include <gtest/gtest.h>

#include "support/limited_memory.hpp"

namespace weft::process {
namespace {

using namespace std::chrono_literals;

const steady_time start{1h};
constexpr restart_intensity three_in_a_second{
    .deaths_max = 3, .within = 1s, .pause_first = 100ms, .pause_max = 1s};

// Dies until that begins a pause, and gives the pause's length.
std::chrono::nanoseconds pause_at(crash_watch& watch, steady_time now) {
  while (!watch.died(now)) {
  }
  return watch.resumes_at() - now;
}

TEST(crash_watch, pauses_after_one_death_too_many) {
  crash_watch watch(three_in_a_second);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(watch.died(start));
  EXPECT_FALSE(watch.is_pausing(start));
  EXPECT_TRUE(watch.died(start));
  EXPECT_TRUE(watch.is_pausing(start));
  EXPECT_FALSE(watch.is_pausing(start + 100ms));
}

TEST(crash_watch, old_deaths_do_not_count) {
  crash_watch watch(three_in_a_second);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.died(start + i * 334ms)) << i;
}

TEST(crash_watch, pauses_grow_up_to_their_bound) {
  crash_watch watch(three_in_a_second);
  auto now = start;
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    EXPECT_EQ(pause_at(watch, now), expected);
    now = watch.resumes_at();
  }
}

TEST(crash_watch, a_quiet_time_makes_them_short_again) {
  crash_watch watch(three_in_a_second);
  EXPECT_EQ(pause_at(watch, start), 100ms);
  EXPECT_EQ(pause_at(watch, watch.resumes_at()), 200ms);
  EXPECT_EQ(pause_at(watch, watch.resumes_at() + 1s), 100ms);
}

TEST(crash_watch, deaths_in_a_pause_do_not_make_it_longer) {
  crash_watch watch(three_in_a_second);
  pause_at(watch, start);
  const auto end = watch.resumes_at();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.died(start + 1ms));
  EXPECT_EQ(watch.resumes_at(), end);
}

// Its pool counts under a spin lock.
TEST(crash_watch, counts_deaths_without_allocating) {
  crash_watch watch(three_in_a_second);
  int pauses = 0;
  testing::allocations_left = 0;
  for (int i = 0; i < 1000; ++i) pauses += watch.died(start + i / 4 * 2s) ? 1 : 0;
  testing::allocations_left = -1;
  EXPECT_EQ(pauses, 250);
}

TEST(crash_watch, keeps_the_times_of_so_many_deaths_only) {
  crash_watch watch({.deaths_max = std::numeric_limits<std::size_t>::max()});
  for (std::size_t i = 0; i < restart_intensity::deaths_limit; ++i) EXPECT_FALSE(watch.died(start));
  EXPECT_TRUE(watch.died(start));
}

TEST(crash_watch, without_a_limit_it_never_pauses) {
  crash_watch watch({.deaths_max = 0});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(watch.died(start));
}

TEST(crash_watch, failed_forks_pause_longer_and_longer_until_one_succeeds) {
  crash_watch watch(three_in_a_second);
  watch.fork_failed(start);
  EXPECT_EQ(watch.resumes_at() - start, 100ms);
  watch.fork_failed(start + 100ms);
  EXPECT_EQ(watch.resumes_at() - start, 300ms);
  watch.fork_succeeded();
  watch.fork_failed(start + 1s);
  EXPECT_EQ(watch.resumes_at() - start, 1100ms);
}

}  // namespace
}  // namespace weft::process
