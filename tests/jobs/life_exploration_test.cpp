#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "jobs/life_exploration.hpp"

// Each case walks all orders of the steps of two workers on two jobs; the breadth-first walk makes the first
// failure the shortest.

namespace weft::jobs {
namespace {

void walk(const exploration& rules) {
  try {
    const explored all = explore(rules);
    std::printf("%s: %zu states, %zu steps\n", rules.name.c_str(), all.states, all.steps);
    testing::Test::RecordProperty("states", std::to_string(all.states));
    EXPECT_GT(all.states, 100U);
  } catch (const std::logic_error& wrong) {
    ADD_FAILURE() << wrong.what();
  }
}

TEST(life_exploration, two_jobs_and_a_crash) { walk({.name = "a crash", .agains_left = 1}); }

TEST(life_exploration, two_jobs_and_a_false_alarm) {
  walk({.name = "a false alarm", .crashes_left = 0, .false_alarms_left = 1});
}

TEST(life_exploration, two_jobs_of_which_one_is_to_end) { walk({.name = "a cancel", .cancels_left = 1}); }

TEST(life_exploration, jobs_that_crash_their_workers) {
  walk({.name = "two crashes", .starts_max = 2, .crashes_left = 2});
}

TEST(life_exploration, jobs_with_one_key_until_they_end) {
  walk({.name = "one key until the end", .unique = unique_until::ended, .retries_left = 1});
}

TEST(life_exploration, jobs_with_one_key_until_they_are_claimed) {
  walk({.name = "one key until the claim", .unique = unique_until::claimed, .cancels_left = 1});
}

TEST(life_exploration, jobs_with_a_limit_of_one) { walk({.name = "a limit of one", .limit = 1}); }

TEST(life_exploration, a_job_that_waits_for_the_end_of_the_other) {
  walk({.name = "one after the other", .second_after_first = true, .cancels_left = 1});
}

}  // namespace
}  // namespace weft::jobs
