#include <weft/jobs/cron.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "jobs/moments.hpp"
#include "support/expect_error.hpp"

// What expressions mean, and which are refused. In UTC; time zones are in cron_zones_test.cpp.

namespace {

using weft::errc;
using weft::jobs::cron;
using weft_test::at;
using weft_test::next_times;
using weft_test::to_text;
using texts = std::vector<std::string>;

std::string next_of(const std::string& expression, const std::string& after) {
  return to_text(cron(expression).next_after(at(after)));
}

TEST(cron, is_due_after_a_moment_and_not_at_it) {
  EXPECT_EQ(next_of("30 2 * * *", "2026-01-01 02:29:59"), "2026-01-01 02:30:00");
  EXPECT_EQ(next_of("30 2 * * *", "2026-01-01 02:30:00"), "2026-01-02 02:30:00");
  const auto within = at("2026-01-01 02:29:59") + std::chrono::microseconds(1);
  EXPECT_EQ(to_text(cron("30 2 * * *").next_after(within)), "2026-01-01 02:30:00");
  const auto before_the_epoch = at("1969-12-31 23:59:59") + std::chrono::microseconds(1);
  EXPECT_EQ(to_text(cron("* * * * *").next_after(before_the_epoch)), "1970-01-01 00:00:00");
}

TEST(cron, takes_lists_ranges_and_steps) {
  EXPECT_EQ(next_times(cron("0,20-22,50/5 * * * *"), "2026-01-01 00:00:00", 6),
            (texts{"2026-01-01 00:20:00", "2026-01-01 00:21:00", "2026-01-01 00:22:00", "2026-01-01 00:50:00",
                   "2026-01-01 00:55:00", "2026-01-01 01:00:00"}));
  EXPECT_EQ(
      next_times(cron("*/25 8-17/4 * * *"), "2026-01-01 08:30:00", 4),
      (texts{"2026-01-01 08:50:00", "2026-01-01 12:00:00", "2026-01-01 12:25:00", "2026-01-01 12:50:00"}));
}

TEST(cron, takes_seconds_in_front) {
  EXPECT_EQ(next_times(cron("*/30 59 23 31 12 *"), "2026-01-01 00:00:00", 3),
            (texts{"2026-12-31 23:59:00", "2026-12-31 23:59:30", "2027-12-31 23:59:00"}));
}

TEST(cron, takes_names_of_months_and_days) {
  EXPECT_EQ(next_of("0 0 1 Jul *", "2026-01-01 00:00:00"), "2026-07-01 00:00:00");
  EXPECT_EQ(next_of("0 0 * * MON", "2026-01-01 00:00:00"), "2026-01-05 00:00:00");
  EXPECT_EQ(next_times(cron("0 0 * * sat-sun"), "2026-01-01 00:00:00", 3),
            (texts{"2026-01-03 00:00:00", "2026-01-04 00:00:00", "2026-01-10 00:00:00"}));
  for (const char* const sunday : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "@weekly"}) {
    EXPECT_EQ(next_of(sunday, "2026-01-01 00:00:00"), "2026-01-04 00:00:00") << sunday;
  }
  EXPECT_EQ(next_times(cron("0 0 * * 5-7"), "2026-01-01 00:00:00", 3),
            (texts{"2026-01-02 00:00:00", "2026-01-03 00:00:00", "2026-01-04 00:00:00"}));
}

TEST(cron, has_short_forms) {
  EXPECT_EQ(next_of("@hourly", "2026-01-31 23:30:00"), "2026-02-01 00:00:00");
  EXPECT_EQ(next_of("@daily", "2026-01-31 23:30:00"), "2026-02-01 00:00:00");
  EXPECT_EQ(next_of("@monthly", "2026-01-31 23:30:00"), "2026-02-01 00:00:00");
  EXPECT_EQ(next_of("@yearly", "2026-01-31 23:30:00"), "2027-01-01 00:00:00");
}

TEST(cron, one_kind_of_days_is_enough_unless_one_begins_with_a_star) {
  EXPECT_EQ(
      next_times(cron("0 0 13 * fri"), "2026-02-01 00:00:00", 4),
      (texts{"2026-02-06 00:00:00", "2026-02-13 00:00:00", "2026-02-20 00:00:00", "2026-02-27 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 * * fri"), "2026-02-01 00:00:00", 1), (texts{"2026-02-06 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 13 * ?"), "2026-02-01 00:00:00", 1), (texts{"2026-02-13 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 */2 * fri"), "2026-02-01 00:00:00", 2),
            (texts{"2026-02-13 00:00:00", "2026-02-27 00:00:00"}));
}

TEST(cron, knows_the_ends_of_months) {
  EXPECT_EQ(next_times(cron("0 0 31 * *"), "2026-01-15 00:00:00", 3),
            (texts{"2026-01-31 00:00:00", "2026-03-31 00:00:00", "2026-05-31 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 L * *"), "2027-12-31 00:00:00", 3),
            (texts{"2028-01-31 00:00:00", "2028-02-29 00:00:00", "2028-03-31 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 L-3 2 *"), "2026-01-01 00:00:00", 3),
            (texts{"2026-02-25 00:00:00", "2027-02-25 00:00:00", "2028-02-26 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 15,L 2 *"), "2026-01-01 00:00:00", 2),
            (texts{"2026-02-15 00:00:00", "2026-02-28 00:00:00"}));
}

TEST(cron, knows_leap_days) {
  EXPECT_EQ(next_times(cron("0 0 29 2 *"), "2026-01-01 00:00:00", 2),
            (texts{"2028-02-29 00:00:00", "2032-02-29 00:00:00"}));
  EXPECT_EQ(next_of("0 0 29 2 *", "2096-02-29 00:00:00"), "2104-02-29 00:00:00");  // 2100 is none
  EXPECT_EQ(next_of("0 0 29 2 *", "1996-02-29 00:00:00"), "2000-02-29 00:00:00");
}

TEST(cron, counts_days_of_the_week_in_a_month) {
  EXPECT_EQ(next_times(cron("0 0 * * fri#2"), "2026-01-01 00:00:00", 2),
            (texts{"2026-01-09 00:00:00", "2026-02-13 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 * * sunL"), "2026-03-01 00:00:00", 2),
            (texts{"2026-03-29 00:00:00", "2026-04-26 00:00:00"}));
  EXPECT_EQ(next_times(cron("0 0 * * 1#1,5L"), "2026-03-01 00:00:00", 2),
            (texts{"2026-03-02 00:00:00", "2026-03-27 00:00:00"}));
  EXPECT_EQ(next_of("0 0 * 2 fri#5", "2026-01-01 00:00:00"), "2036-02-29 00:00:00");  // once in 28 years
}

TEST(cron, is_a_value) {
  const cron one("@daily");
  EXPECT_EQ(one.expression(), "@daily");
  EXPECT_EQ(one.zone().name(), "UTC");
  EXPECT_EQ(cron(one), one);
  EXPECT_FALSE(one == cron("0 0 * * *"));
  EXPECT_FALSE(one == cron("@daily", weft::jobs::time_zone("Europe/Berlin")));
}

struct refusal {
  const char* expression;
  const char* says;
};

TEST(cron, says_which_field_is_wrong_and_where) {
  const std::vector<refusal> all{
      {"60 * * * *", "minute (field 1), at character 1: 60 is no minute, which goes from 0 to 59"},
      {"0 24 * * *", "hour (field 2), at character 3: 24 is no hour, which goes from 0 to 23"},
      {"0 0 0 * *", "day of month (field 3), at character 5: 0 is no day of month"},
      {"0  0\t1 13 *", "month (field 4), at character 8: 13 is no month"},
      {"0 0 * * 8", "day of week (field 5), at character 9: 8 is no day of week"},
      {"0 0 * * fry", "day of week (field 5), at character 9: \"fry\" where one of sun to sat was expected"},
      {"0 0 * foo *", "month (field 4), at character 7: \"foo\" where one of jan to dec was expected"},
      {"0 0 * -1 *",
       "month (field 4), at character 7: \"-1\" where a number or one of jan to dec was expected"},
      {"0 0 * * 1,", "day of week (field 5), at character 11: the end where a number or one of sun to sat"},
      {"0 jan * * *", "hour (field 2), at character 3: \"jan\" where a number was expected"},
      {"1;2 * * * *",
       "minute (field 1), at character 2: \";2\" where a comma or the field's end was expected"},
      {"0 0 15W * *", "day of month (field 3), at character 7: \"W\" where a comma"},
      {"0 0 * * 5-2", "day of week (field 5), at character 9: the range ends before it begins"},
      {"*/0 * * * *", "minute (field 1), at character 3: 0 is no step"},
      {"*/60 * * * *",
       "minute (field 1), at character 3: a step of 60 leads out of the range at once, so that only 0"},
      {"0 */24 * * *", "hour (field 2), at character 5: a step of 24"},
      {"0 0 * * fri#6", "day of week (field 5), at character 13: 6 is no week of a month"},
      {"0 0 L-31 * *", "day of month (field 3), at character 7: 31 is no distance from the last day"},
      {"0 0 * * L", "day of week (field 5), at character 9: \"L\" where one of sun to sat"},
      {"* * ? * ?*", "day of week (field 5), at character 10: \"*\" where a comma"},
      {"? * * * *", "minute (field 1), at character 1: \"?\" where a number was expected"},
      {"0 0 1000 * *", "day of month (field 3), at character 5: \"1000\" where a number was expected"},
      {"* * * * * 0 8", "it has 7 fields; there are 5"},
      {"* * * *",
       "it has 4 fields; there are 5 (minute, hour, day of month, month, day of week), or 6 with seconds"},
      {"60 * * * * *", "second (field 1), at character 1"},
      {"0 * * * * 8", "day of week (field 6), at character 11"},
      {"", "it has 0 fields"},
      {"@reboot", "of the names that begin with @ there are: @yearly @annually"},
      {"0 0 * * \x1b[31m", "cron \"0 0 * * ?[31m\""},
  };
  for (const auto& [expression, says] : all) {
    const auto message = message_of(errc::invalid_argument, [&] { cron wrong(expression); });
    EXPECT_TRUE(has_text(message, says)) << message << "\n  has no: " << says;
    EXPECT_TRUE(has_text(message, "cron \"")) << message;
  }
  EXPECT_TRUE(has_text(message_of(errc::invalid_argument, [] { cron wrong(std::string(1000, '1')); }),
                       "it has more than 256 characters"));
}

TEST(cron, that_is_never_due_is_refused) {
  const std::vector<refusal> all{
      {"0 0 30 2 *", "day of month (field 3), at character 5: the month has no such day, so it is never due"},
      {"0 0 31 4,6,9,nov *", "day of month (field 3), at character 5"},
      {"0 0 0 30-31 feb ?", "day of month (field 4), at character 7"},
      {"0 0 L-29 2 *", "day of month (field 3), at character 5"},
      {"0 0 */30 * fri#2",
       "day of week (field 5), at character 12: no such day of the week comes on such a day"},
  };
  for (const auto& [expression, says] : all) {
    const auto message = message_of(errc::invalid_argument, [&] { cron never(expression); });
    EXPECT_TRUE(has_text(message, says)) << message << "\n  has no: " << says;
  }
  EXPECT_EQ(next_of("0 0 30 2 mon", "2026-02-01 00:00:00"), "2026-02-02 00:00:00");  // Mondays are enough
  EXPECT_EQ(next_of("0 0 30 * *", "2026-02-01 00:00:00"), "2026-03-30 00:00:00");
}

TEST(cron, has_bounds_in_time) {
  const cron daily("@daily");
  EXPECT_EQ(next_of("@daily", "2399-12-31 12:00:00"), "2400-01-01 00:00:00");
  message_of(errc::invalid_argument, [&] { (void)daily.next_after(at("2400-01-01 00:00:00")); });
  message_of(errc::invalid_argument, [&] { (void)daily.next_after(weft::jobs::moment::max()); });
  message_of(errc::invalid_argument, [&] { (void)daily.next_after(weft::jobs::moment::min()); });
}

}  // namespace
