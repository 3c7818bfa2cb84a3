#include "http/set_cookie.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

namespace {

// RFC 6265, 5.1.1: what stands between the parts of a date.
constexpr byte_set date_delimiters = byte_set("\t")
                                         .with_range(0x20, 0x2f)
                                         .with_range(0x3b, 0x40)
                                         .with_range(0x5b, 0x60)
                                         .with_range(0x7b, 0x7e);

constexpr std::array<std::string_view, 12> months = {"jan", "feb", "mar", "apr", "may", "jun",
                                                     "jul", "aug", "sep", "oct", "nov", "dec"};

/// Takes a number of `least` to `most` digits off; another digit behind it makes it none.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) noexcept {
  std::size_t digits = 0;
  while (digits < text.size() && digit_bytes.has(text[digits])) ++digits;
  if (digits < least || digits > most) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return value;
}

/// "hh:mm:ss", with anything but a digit behind it.
std::optional<std::chrono::seconds> read_time(std::string_view text) noexcept {
  int parts[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (i > 0) {
      if (!text.starts_with(':')) return std::nullopt;
      text.remove_prefix(1);
    }
    const auto one = take_number(text, 1, 2);
    if (!one) return std::nullopt;
    parts[i] = *one;
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return std::chrono::hours(parts[0]) + std::chrono::minutes(parts[1]) + std::chrono::seconds(parts[2]);
}

std::optional<unsigned> read_month(std::string_view text) noexcept {
  for (unsigned i = 0; i < months.size(); ++i) {
    if (same_name(text.substr(0, 3), months[i])) return i + 1;
  }
  return std::nullopt;
}

/// "-5", "3600"; a number that does not fit is the largest that does.
std::optional<std::chrono::seconds> read_max_age(std::string_view text) noexcept {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  if (!digit_bytes.spells(text)) return std::nullopt;
  if (is_negative) return std::chrono::seconds(0);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) value = std::numeric_limits<std::int64_t>::max();
  return std::chrono::seconds(value);
}

void take_attribute(std::string_view name, std::string_view value, set_cookie_field& into) {
  if (same_name(name, "Expires")) {
    if (const auto date = read_cookie_date(value)) into.expires = date;
  } else if (same_name(name, "Max-Age")) {
    if (const auto age = read_max_age(value)) into.max_age = age;
  } else if (same_name(name, "Domain")) {
    if (value.starts_with('.')) value.remove_prefix(1);
    into.domain = value;
  } else if (same_name(name, "Path")) {
    into.path = value.starts_with('/') ? value : std::string_view();
  } else if (same_name(name, "Secure")) {
    into.secure = true;
  } else if (same_name(name, "HttpOnly")) {
    into.http_only = true;
  }
}

/// Takes "name=value", up to the next semicolon, off; without '=' all of it is the name.
std::pair<std::string_view, std::string_view> take_pair(std::string_view& left, bool& has_value) noexcept {
  const std::size_t end = std::min(left.find(';'), left.size());
  const std::string_view pair = left.substr(0, end);
  left.remove_prefix(std::min(end + 1, left.size()));
  const std::size_t equals = pair.find('=');
  has_value = equals != std::string_view::npos;
  return {trim_blanks(pair.substr(0, equals)),
          has_value ? trim_blanks(pair.substr(equals + 1)) : std::string_view()};
}

}  // namespace

std::optional<std::chrono::sys_seconds> read_cookie_date(std::string_view text) {
  std::optional<std::chrono::seconds> time;
  std::optional<int> day, year;
  std::optional<unsigned> month;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && !date_delimiters.has(text[end])) ++end;
    std::string_view token = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto take = [&token](auto& part, auto found) {
      if (part || !found) return false;
      part = found;
      token = {};
      return true;
    };
    if (token.empty() || take(time, read_time(token))) continue;
    std::string_view day_and_more = token;
    if (take(day, take_number(day_and_more, 1, 2)) || take(month, read_month(token))) continue;
    take(year, take_number(token, 2, 4));
  }
  if (!time || !day || !month || !year) return std::nullopt;
  if (*year >= 70 && *year <= 99) *year += 1900;
  if (*year <= 69) *year += 2000;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (*year < 1601 || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + *time;
}

std::optional<set_cookie_field> read_set_cookie(std::string_view text, std::size_t attribute_bytes_max) {
  if (!is_field_value(text)) return std::nullopt;
  set_cookie_field made;
  bool has_value = false;
  const auto [name, value] = take_pair(text, has_value);
  if (!has_value || name.empty()) return std::nullopt;
  made.name = name;
  made.value = value;
  while (!text.empty()) {
    const auto [attribute, with] = take_pair(text, has_value);
    if (with.size() <= attribute_bytes_max) take_attribute(attribute, with, made);
  }
  return made;
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return same_name(name.substr(0, prefix.size()), prefix);
}

}  // namespace weft::inline v1::http::detail
