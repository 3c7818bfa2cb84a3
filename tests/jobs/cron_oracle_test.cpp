#include <cstdlib>
#include <ctime>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/jobs/cron.hpp>

#include "jobs/moments.hpp"

// Cron compared with a slow one that looks at each minute, by the C library's time zones.

namespace {

using namespace std::chrono_literals;
using std::chrono::minutes;
using weft::jobs::cron;
using weft::jobs::moment;
using weft::jobs::time_zone;

using random_source = std::mt19937_64;

int draw(random_source& from, int least, int most) {
  return std::uniform_int_distribution(least, most)(from);
}

/// A field and the values it stands for.
struct field {
  std::string text;
  std::set<int> values;
};

field drawn_range(random_source& from, int least, int most) {
  const int begin = draw(from, least, most - 1), end = draw(from, begin + 1, most);
  const int step = draw(from, 1, end - begin);
  field made{.text = std::to_string(begin) + '-' + std::to_string(end), .values = {}};
  if (step > 1) made.text += '/' + std::to_string(step);
  for (int value = begin; value <= end; value += step) made.values.insert(value);
  return made;
}

field drawn_list(random_source& from, int least, int most) {
  field made;
  for (int i = draw(from, 1, 3); i > 0; --i) {
    const int value = draw(from, least, most);
    made.text += (made.text.empty() ? "" : ",") + std::to_string(value);
    made.values.insert(value);
  }
  return made;
}

field everything(int least, int most) {
  field made{.text = "*", .values = {}};
  for (int value = least; value <= most; ++value) made.values.insert(value);
  return made;
}

/// One in `all_of` is a star.
field drawn_field(random_source& from, int least, int most, int stars_of) {
  if (draw(from, 1, stars_of) != 1) return everything(least, most);
  return draw(from, 0, 1) == 0 ? drawn_range(from, least, most) : drawn_list(from, least, most);
}

struct slow_cron {
  field minute, hour, day, month, weekday;

  explicit slow_cron(random_source& from)
      : minute(draw(from, 0, 3) == 0 ? everything(0, 59) : drawn_list(from, 0, 59)),
        hour(draw(from, 0, 2) == 0 ? everything(0, 23) : drawn_field(from, 0, 23, 1)),
        day(drawn_field(from, 1, 28, 4)),
        month(everything(1, 12)),
        weekday(drawn_field(from, 0, 6, 4)) {
    if (day.text == "*") day = everything(1, 31);
  }

  std::string text() const {
    return minute.text + ' ' + hour.text + ' ' + day.text + ' ' + month.text + ' ' + weekday.text;
  }
  /// A minute that clocks show, counted from 1970.
  bool fits(std::time_t shown) const {
    const std::time_t seconds = shown * 60;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    const bool day_fits = day.values.count(parts.tm_mday) > 0,
               weekday_fits = weekday.values.count(parts.tm_wday) > 0;
    const bool both_restrict = day.text != "*" && weekday.text != "*";
    return minute.values.count(parts.tm_min) > 0 && hour.values.count(parts.tm_hour) > 0 &&
           (both_restrict ? day_fits || weekday_fits : day_fits && weekday_fits);
  }

  std::vector<moment> times(moment after, moment until) const;
};

std::time_t shown_minute(moment at) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return ::timegm(&parts) / 60;
}

/// Every minute that clocks show for the first time, or put behind them, counts once; in an expression for
/// every hour those count that they show.
std::vector<moment> slow_cron::times(moment after, moment until) const {
  const bool every_hour = hour.values.size() == 24;
  std::vector<moment> found;
  moment at = std::chrono::floor<minutes>(after) - 50h;
  for (std::time_t latest = shown_minute(at); at <= until; at += 1min) {
    const std::time_t shown = shown_minute(at);
    bool due = every_hour && fits(shown);
    for (; !every_hour && latest < shown; ++latest) due = fits(latest + 1) || due;
    if (due && at > after) found.push_back(at);
  }
  return found;
}

class cron_oracle : public testing::TestWithParam<const char*> {
 protected:
  cron_oracle() {
    ::setenv("TZ", GetParam(), 1);
    ::tzset();
  }
  ~cron_oracle() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

std::vector<moment> times_of(const cron& schedule, moment after, moment until) {
  std::vector<moment> found;
  while ((after = schedule.next_after(after)) <= until) found.push_back(after);
  return found;
}

TEST_P(cron_oracle, agrees_in_random_expressions_around_changes) {
  const time_zone zone(GetParam());
  random_source from(20'260'329);
  for (int i = 0; i < 100; ++i) {
    const auto somewhere =
        std::chrono::sys_seconds(std::chrono::seconds(draw(from, 1'262'304'000, 2'145'916'800)));
    const auto change = zone.period_at(somewhere).until;
    const moment near = change == std::chrono::sys_seconds::max() ? somewhere : change;
    const moment after =
        near - minutes(draw(from, 0, 2 * 1440)) + std::chrono::seconds(draw(from, 0, 1) * 17);
    const moment until = near + 30h;
    const slow_cron slow(from);
    const auto expected = slow.times(after, until);
    EXPECT_EQ(weft_test::to_texts(times_of(cron(slow.text(), zone), after, until)),
              weft_test::to_texts(expected))
        << slow.text() << " after " << weft_test::to_text(after);
  }
}

INSTANTIATE_TEST_SUITE_P(zones, cron_oracle,
                         testing::Values("Europe/Berlin", "America/New_York", "America/St_Johns",
                                         "America/Santiago", "Africa/Casablanca", "Asia/Kathmandu",
                                         "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Chatham",
                                         "Pacific/Apia", "Antarctica/Troll", "UTC"));

}  // namespace
