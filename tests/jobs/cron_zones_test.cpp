#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/cron.hpp>
#include <weft/jobs/time_zone.hpp>

#include "jobs/moments.hpp"
#include "support/expect_error.hpp"

// Cron where clocks are changed, and the zones themselves. Moments are in UTC.

namespace {

using weft::errc;
using weft::jobs::cron;
using weft::jobs::time_zone;
using weft_test::at;
using weft_test::next_times;
using texts = std::vector<std::string>;

cron in(const std::string& zone, const std::string& expression) { return cron(expression, time_zone(zone)); }

// Berlin: 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.

TEST(cron_zones, a_time_that_is_left_out_is_due_when_clocks_are_put_forward) {
  EXPECT_EQ(next_times(in("Europe/Berlin", "30 2 * * *"), "2026-03-28 00:00:00", 3),
            (texts{"2026-03-28 01:30:00", "2026-03-29 01:00:00", "2026-03-30 00:30:00"}));
}

TEST(cron_zones, a_time_that_comes_twice_is_due_the_first_time) {
  EXPECT_EQ(next_times(in("Europe/Berlin", "30 2 * * *"), "2026-10-24 12:00:00", 2),
            (texts{"2026-10-25 00:30:00", "2026-10-26 01:30:00"}));
  for (const char* const between : {"2026-10-25 00:30:00", "2026-10-25 01:10:00", "2026-10-25 01:29:59"}) {
    EXPECT_EQ(next_times(in("Europe/Berlin", "30 2 * * *"), between, 1), (texts{"2026-10-26 01:30:00"}))
        << between;
  }
}

TEST(cron_zones, several_times_that_are_left_out_are_due_once) {
  EXPECT_EQ(
      next_times(in("Europe/Berlin", "*/20 2-3 * * *"), "2026-03-29 00:00:00", 4),
      (texts{"2026-03-29 01:00:00", "2026-03-29 01:20:00", "2026-03-29 01:40:00", "2026-03-30 00:00:00"}));
}

TEST(cron_zones, times_around_those_that_come_twice_keep_their_order) {
  EXPECT_EQ(
      next_times(in("Europe/Berlin", "45 1-3 * * *"), "2026-10-24 22:00:00", 4),
      (texts{"2026-10-24 23:45:00", "2026-10-25 00:45:00", "2026-10-25 02:45:00", "2026-10-26 00:45:00"}));
}

TEST(cron_zones, what_is_due_every_hour_follows_the_clocks) {
  EXPECT_EQ(next_times(in("Europe/Berlin", "30 * * * *"), "2026-03-29 00:00:00", 3),
            (texts{"2026-03-29 00:30:00", "2026-03-29 01:30:00", "2026-03-29 02:30:00"}));
  EXPECT_EQ(next_times(in("Europe/Berlin", "30 * * * *"), "2026-10-25 00:00:00", 3),
            (texts{"2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-10-25 02:30:00"}));
  EXPECT_EQ(next_times(in("Europe/Berlin", "*/30 * 25 10 *"), "2026-10-25 22:00:00", 2),
            (texts{"2026-10-25 22:30:00", "2027-10-24 22:00:00"}));
}

TEST(cron_zones, the_south_changes_the_other_way_round) {
  EXPECT_EQ(next_times(in("Australia/Sydney", "30 2 * * *"), "2026-04-04 00:00:00", 2),  // twice, on the 5th
            (texts{"2026-04-04 15:30:00", "2026-04-05 16:30:00"}));
  EXPECT_EQ(
      next_times(in("Australia/Sydney", "30 2 * * *"), "2026-10-03 00:00:00", 2),  // left out, on the 4th
      (texts{"2026-10-03 16:00:00", "2026-10-04 15:30:00"}));
}

TEST(cron_zones, a_midnight_may_be_left_out) {
  EXPECT_EQ(next_times(in("America/Santiago", "@daily"), "2026-09-05 00:00:00", 3),  // on the 6th
            (texts{"2026-09-05 04:00:00", "2026-09-06 04:00:00", "2026-09-07 03:00:00"}));
}

TEST(cron_zones, offsets_need_not_be_whole_hours) {
  EXPECT_EQ(next_times(in("Asia/Kathmandu", "0 6 * * *"), "2026-01-01 00:00:00", 1),
            (texts{"2026-01-01 00:15:00"}));
  EXPECT_EQ(next_times(in("Asia/Kolkata", "0 6 * * *"), "2026-01-01 00:00:00", 1),
            (texts{"2026-01-01 00:30:00"}));
  EXPECT_EQ(next_times(in("Pacific/Chatham", "50 2 * * *"), "2026-09-26 12:00:00", 2),  // 02:45 becomes 03:45
            (texts{"2026-09-26 14:00:00", "2026-09-27 13:05:00"}));
}

TEST(cron_zones, a_change_need_not_be_of_a_whole_hour) {
  EXPECT_EQ(
      next_times(in("Australia/Lord_Howe", "15 2 * * *"), "2026-10-03 00:00:00", 2),  // 02:00 becomes 02:30
      (texts{"2026-10-03 15:30:00", "2026-10-04 15:15:00"}));
  EXPECT_EQ(
      next_times(in("Australia/Lord_Howe", "45 1 * * *"), "2026-04-04 00:00:00", 2),  // 02:00 becomes 01:30
      (texts{"2026-04-04 14:45:00", "2026-04-05 15:15:00"}));
  EXPECT_EQ(next_times(in("Australia/Lord_Howe", "*/30 * * * *"), "2026-04-04 14:20:00", 3),
            (texts{"2026-04-04 14:30:00", "2026-04-04 15:00:00", "2026-04-04 15:30:00"}));
}

TEST(cron_zones, a_day_that_is_left_out_is_made_up_for_at_once) {
  EXPECT_EQ(next_times(in("Pacific/Apia", "0 12 * * *"), "2011-12-29 12:00:00", 3),  // there was no 30th
            (texts{"2011-12-29 22:00:00", "2011-12-30 10:00:00", "2011-12-30 22:00:00"}));
}

TEST(cron_zones, rules_go_on_after_what_the_file_lists) {
  EXPECT_EQ(next_times(in("Europe/Berlin", "30 2 * * *"), "2050-03-26 12:00:00", 2),
            (texts{"2050-03-27 01:00:00", "2050-03-28 00:30:00"}));
  EXPECT_EQ(next_times(in("Europe/Berlin", "0 12 1 7 *"), "2398-01-01 00:00:00", 1),
            (texts{"2398-07-01 10:00:00"}));
}

TEST(time_zone, is_a_name_of_the_database) {
  EXPECT_EQ(time_zone().name(), "UTC");
  EXPECT_EQ(time_zone(), time_zone("UTC"));
  EXPECT_EQ(time_zone("America/Argentina/Buenos_Aires").name(), "America/Argentina/Buenos_Aires");
  EXPECT_EQ(time_zone("Etc/GMT+5").period_at(std::chrono::sys_seconds()).offset, -std::chrono::hours(5));
  EXPECT_TRUE(has_text(message_of(errc::not_found, [] { time_zone("Europe/Berln"); }), "\"Europe/Berln\""));
}

TEST(time_zone, is_no_path_and_no_other_text) {
  for (const std::string name : {"", "/etc/passwd", "../../etc/passwd", "Europe/../../x", "Europe//Berlin",
                                 "Europe/", "localtime", "file:x", "libc:localtime", "right/Europe/Berlin",
                                 "posix/Europe/Berlin", "Fixed/UTC+05:30:00", "Eu rope", "Europe\n"}) {
    message_of(errc::invalid_argument, [&] { time_zone wrong(name); });
  }
  message_of(errc::invalid_argument, [] { time_zone wrong("E" + std::string(100, 'x')); });
  message_of(errc::not_found, [] { time_zone folder("Europe"); });
}

TEST(time_zone, says_how_long_an_offset_holds) {
  const time_zone berlin("Europe/Berlin");
  const auto winter = berlin.period_at(std::chrono::floor<std::chrono::seconds>(at("2026-01-01 00:00:00")));
  EXPECT_EQ(winter.offset, std::chrono::hours(1));
  EXPECT_EQ(winter.until, at("2026-03-29 01:00:00"));
  const auto summer = berlin.period_at(winter.until);
  EXPECT_EQ(summer.offset, std::chrono::hours(2));
  EXPECT_EQ(summer.until, at("2026-10-25 01:00:00"));
  EXPECT_EQ(time_zone().period_at(std::chrono::sys_seconds()).until, std::chrono::sys_seconds::max());
}

}  // namespace
