#include "jobs/cron/fields.hpp"

#include <bit>

namespace weft::inline v1::jobs::detail {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::year_month_day;

constexpr int none = -1;
constexpr days gregorian_cycle{146'097};  // 400 years, after which the days of the week are the same again

bool has(std::uint64_t set, unsigned value) noexcept { return (set >> value & 1U) != 0; }

/// The least value of the set that is not below `from`.
int least(std::uint64_t set, unsigned from) noexcept {
  const std::uint64_t rest = from < 64 ? set >> from : 0;
  return rest == 0 ? none : static_cast<int>(from) + std::countr_zero(rest);
}

unsigned days_of(year_month_day date) noexcept {
  return static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
}

std::chrono::seconds time_of_day(int hour, int minute, int second) noexcept {
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace

bool cron_days::fits_month(year_month_day date) const noexcept {
  const auto day = static_cast<unsigned>(date.day());
  return has(of_month, day) || has(before_last, days_of(date) - day);
}

bool cron_days::fits_week(year_month_day date) const noexcept {
  const unsigned name = std::chrono::weekday(local_days(date)).c_encoding();
  const auto day = static_cast<unsigned>(date.day());
  return has(of_week, name) || has(nth[(day - 1) / 7], name) ||
         (has(last_of_week, name) && days_of(date) - day < 7);
}

bool cron_days::fit(year_month_day date) const noexcept {
  return any_of_month || any_of_week ? fits_month(date) && fits_week(date)
                                     : fits_month(date) || fits_week(date);
}

std::optional<std::chrono::seconds> cron_fields::first_in_day(std::chrono::seconds from) const noexcept {
  const std::chrono::hh_mm_ss time(from);
  const auto hour = static_cast<unsigned>(time.hours().count());
  const auto minute = static_cast<unsigned>(time.minutes().count());
  if (has(hours, hour) && has(minutes, minute)) {
    const int second = least(seconds, static_cast<unsigned>(time.seconds().count()));
    if (second != none) return time_of_day(static_cast<int>(hour), static_cast<int>(minute), second);
  }
  if (has(hours, hour)) {
    const int later = least(minutes, minute + 1);
    if (later != none) return time_of_day(static_cast<int>(hour), later, least(seconds, 0));
  }
  const int later = least(hours, hour + 1);
  if (later == none) return std::nullopt;
  return time_of_day(later, least(minutes, 0), least(seconds, 0));
}

std::optional<local_seconds> cron_fields::first_from(local_seconds from) const noexcept {
  auto day = std::chrono::floor<std::chrono::days>(from);
  std::chrono::seconds time = from - day;
  const local_days last = day + gregorian_cycle;
  while (day <= last) {
    const year_month_day date(day);
    if (!has(months, static_cast<unsigned>(date.month()))) {
      day = local_days(date.year() / date.month() / 1 + std::chrono::months(1));
    } else {
      if (days.fit(date)) {
        if (const auto found = first_in_day(time)) return day + *found;
      }
      day += std::chrono::days(1);
    }
    time = std::chrono::seconds(0);
  }
  return std::nullopt;
}

}  // namespace weft::inline v1::jobs::detail
