#include "http/http_date.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace weft::inline v1::http::detail {

std::string http_date(std::chrono::sys_seconds when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  const int bytes = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                  days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                                  parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text, static_cast<std::size_t>(bytes)};
}

namespace {

/// Takes a date apart from left to right; wrong once something is not as it is to be.
class date_reader {
 public:
  explicit date_reader(std::string_view text) noexcept : left_(text) {}

  void expect(std::string_view text) noexcept {
    good_ = good_ && left_.starts_with(text);
    if (good_) left_.remove_prefix(text.size());
  }
  unsigned number(std::size_t digits, bool first_may_be_space = false) noexcept {
    unsigned value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char digit = i < left_.size() ? left_[i] : '?';
      const bool is_space = i == 0 && first_may_be_space && digit == ' ';
      good_ = good_ && (is_space || (digit >= '0' && digit <= '9'));
      value = value * 10 + (is_space ? 0 : static_cast<unsigned>(digit - '0'));
    }
    if (good_) left_.remove_prefix(digits);
    return value;
  }
  /// Which of the names stands here, from 0 on.
  template <std::size_t Count>
  unsigned one_of(const std::array<std::string_view, Count>& names) noexcept {
    for (std::size_t i = 0; i < Count && good_; ++i) {
      if (!left_.starts_with(names[i])) continue;
      left_.remove_prefix(names[i].size());
      return static_cast<unsigned>(i);
    }
    good_ = false;
    return 0;
  }
  bool has(std::string_view text) const noexcept { return left_.starts_with(text); }
  bool is_right() const noexcept { return good_ && left_.empty(); }

 private:
  std::string_view left_;
  bool good_ = true;
};

constexpr std::array<std::string_view, 7> long_days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 7> short_days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// RFC 9110: two digits that seem more than 50 years ahead are of the past.
int full_year(unsigned two_digits) {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const int now = static_cast<int>(std::chrono::year_month_day(today).year());
  const int year = now / 100 * 100 + static_cast<int>(two_digits);
  return year > now + 50 ? year - 100 : year;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  date_reader read(text);
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  const auto read_time = [&] {
    hour = read.number(2);
    read.expect(":");
    minute = read.number(2);
    read.expect(":");
    second = read.number(2);
  };
  const bool is_long = text.find("day,") != std::string_view::npos;
  if (is_long) {
    read.one_of(long_days);
  } else {
    read.one_of(short_days);
  }
  if (read.has(",")) {
    const std::string_view between = is_long ? "-" : " ";
    read.expect(", ");
    day = read.number(2);
    read.expect(between);
    month = read.one_of(month_names);
    read.expect(between);
    year = is_long ? full_year(read.number(2)) : static_cast<int>(read.number(4));
    read.expect(" ");
    read_time();
    read.expect(" GMT");
  } else {
    read.expect(" ");
    month = read.one_of(month_names);
    read.expect(" ");
    day = read.number(2, true);
    read.expect(" ");
    read_time();
    read.expect(" ");
    year = static_cast<int>(read.number(4));
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month + 1),
                                         std::chrono::day(day)};
  if (!read.is_right() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace weft::inline v1::http::detail
