#include <weft/jobs/catch_up.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "jobs/moments.hpp"
#include "support/expect_error.hpp"

// What becomes of times that passed while nobody looked.

namespace {

using namespace std::chrono_literals;
using weft::errc;
using weft::jobs::catch_up;
using weft::jobs::catch_up_bounds;
using weft::jobs::cron;
using weft::jobs::due_since;
using weft_test::at;
using weft_test::to_texts;
using texts = std::vector<std::string>;

const cron hourly("@hourly");

struct seen {
  texts times;
  bool left_out;
  friend bool operator==(const seen&, const seen&) = default;
};

seen due(const cron& schedule, const std::string& last, const std::string& now, catch_up policy,
         const catch_up_bounds& bounds = {}) {
  const auto found = due_since(schedule, at(last), at(now), policy, bounds);
  return {to_texts(found.times), found.left_out};
}

// Three hours down: 10:00, 11:00 and 12:00 were missed.

TEST(catch_up, skip_goes_on_with_the_next_one) {
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::skip), (seen{{}, true}));
}

TEST(catch_up, one_stands_for_all) {
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::one),
            (seen{{"2026-01-01 12:00:00"}, true}));
  EXPECT_EQ(due(hourly, "2026-01-01 11:00:00", "2026-01-01 12:30:00", catch_up::one),
            (seen{{"2026-01-01 12:00:00"}, false}));
}

TEST(catch_up, all_are_made_up_for_oldest_first) {
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::all),
            (seen{{"2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-01 12:00:00"}, false}));
}

TEST(catch_up, what_is_in_time_is_due_by_every_policy) {
  for (const auto policy : {catch_up::skip, catch_up::one}) {
    EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:00:10", policy),
              (seen{{"2026-01-01 12:00:00"}, true}));
    EXPECT_EQ(due(hourly, "2026-01-01 11:00:00", "2026-01-01 12:00:00", policy),
              (seen{{"2026-01-01 12:00:00"}, false}));
    EXPECT_EQ(due(hourly, "2026-01-01 11:00:00", "2026-01-01 12:01:00", policy),
              (seen{{"2026-01-01 12:00:00"}, false}));
  }
  EXPECT_EQ(due(hourly, "2026-01-01 11:00:00", "2026-01-01 12:01:01", catch_up::skip), (seen{{}, true}));
}

TEST(catch_up, nothing_is_due_between_times_and_none_twice) {
  for (const auto policy : {catch_up::skip, catch_up::one, catch_up::all}) {
    EXPECT_EQ(due(hourly, "2026-01-01 12:00:00", "2026-01-01 12:59:59", policy), (seen{{}, false}));
    EXPECT_EQ(due(hourly, "2026-01-01 12:00:00", "2026-01-01 12:00:00", policy), (seen{{}, false}));
    EXPECT_EQ(due(hourly, "2026-01-01 12:00:00", "2025-06-01 00:00:00", policy),
              (seen{{}, false}));  // put back
  }
}

TEST(catch_up, all_has_a_bound_and_keeps_the_latest) {
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::all, {.fires_max = 2}),
            (seen{{"2026-01-01 11:00:00", "2026-01-01 12:00:00"}, true}));
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::all, {.fires_max = 3}),
            (seen{{"2026-01-01 10:00:00", "2026-01-01 11:00:00", "2026-01-01 12:00:00"}, false}));
  message_of(errc::invalid_argument, [] {
    due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:30:00", catch_up::all, {.fires_max = 0});
  });
}

TEST(catch_up, nothing_is_made_up_for_that_is_too_old) {
  const catch_up_bounds bounds{.age_max = 90min};
  EXPECT_EQ(due(hourly, "2026-01-01 09:00:00", "2026-01-01 12:00:30", catch_up::all, bounds),
            (seen{{"2026-01-01 11:00:00", "2026-01-01 12:00:00"}, true}));
  const cron yearly("@yearly");
  EXPECT_EQ(due(yearly, "2025-01-01 00:00:00", "2026-12-01 00:00:00", catch_up::one), (seen{{}, true}));
  EXPECT_EQ(due(yearly, "2025-01-01 00:00:00", "2026-01-07 00:00:00", catch_up::one),
            (seen{{"2026-01-01 00:00:00"}, false}));
}

TEST(catch_up, what_lies_far_back_costs_nothing) {
  const cron each_second("* * * * * *");
  const auto found = due_since(each_second, at("1970-01-01 00:00:00"), at("2026-01-01 00:00:00"),
                               catch_up::all, {.age_max = std::chrono::hours(24 * 365 * 60), .fires_max = 2});
  EXPECT_EQ(to_texts(found.times), (texts{"2025-12-31 23:59:59", "2026-01-01 00:00:00"}));
  EXPECT_TRUE(found.left_out);
}

TEST(catch_up, clocks_that_are_changed_do_not_repeat_a_time) {
  const cron berlin("30 2 * * *", weft::jobs::time_zone("Europe/Berlin"));
  EXPECT_EQ(due(berlin, "2026-10-24 12:00:00", "2026-10-25 03:00:00", catch_up::all),
            (seen{{"2026-10-25 00:30:00"}, false}));
  EXPECT_EQ(due(berlin, "2026-03-28 12:00:00", "2026-03-29 03:00:00", catch_up::all),
            (seen{{"2026-03-29 01:00:00"}, false}));
}

}  // namespace
