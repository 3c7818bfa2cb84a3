#include "jobs/cron/field_reader.hpp"

#include <algorithm>
#include <cctype>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs::detail {
namespace {

constexpr std::size_t name_length = 3;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
char lower(char c) noexcept { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string printable(std::string_view text) {
  std::string shown(text);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return shown;
}

std::uint8_t bit_of(int day) noexcept { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(day)); }

}  // namespace

std::string cron_text(std::string_view expression) { return "cron \"" + printable(expression) + '"'; }

void refuse_cron(std::string_view expression, const char* field, int number, std::size_t at,
                 const std::string& why) {
  throw error(errc::invalid_argument, cron_text(expression) + ": " + field + " (field " +
                                          std::to_string(number) + "), at character " +
                                          std::to_string(at + 1) + ": " + why);
}

void cron_field_reader::refuse(std::size_t at, const std::string& why) const {
  refuse_cron(expression_, kind_.name, number_, at, why);
}

void cron_field_reader::refuse_here(const std::string& wanted) const {
  const std::string there = is_over() ? "the end" : "\"" + printable(field_.substr(at_)) + "\"";
  refuse(at_, there + " where " + wanted + " was expected");
}

bool cron_field_reader::take(char wanted) noexcept {
  if (here() != wanted) return false;
  ++at_;
  return true;
}

bool cron_field_reader::take_letter(char wanted) noexcept { return lower(here()) == wanted && take(here()); }

cron_field cron_field_reader::read() {
  do {
    read_item();
  } while (take(','));
  if (!is_over()) refuse_here("a comma or the field's end");
  return read_;
}

void cron_field_reader::read_item() {
  const std::size_t start = at_;
  const bool is_first = at_ == begin_;
  if (take('*')) {
    read_.any = read_.any || is_first;
    read_step(start, {kind_.least, kind_.is_day_of_week ? kind_.most - 1 : kind_.most, false});
  } else if ((kind_.is_day_of_month || kind_.is_day_of_week) && is_first && take('?')) {
    read_.any = true;
    add({kind_.least, kind_.most, false}, 1);
  } else if (kind_.is_day_of_month && take_letter('l')) {
    read_day_before_last();
  } else {
    read_range();
  }
}

void cron_field_reader::read_day_before_last() {
  const int back = take('-') ? read_number(0, 30, "distance from the last day") : 0;
  read_.before_last |= 1U << static_cast<unsigned>(back);
}

void cron_field_reader::read_range() {
  const std::size_t start = at_;
  range over{.from = read_value(false), .to = 0, .is_one = true};
  if (kind_.is_day_of_week && read_special_weekday(over.from)) return;
  over.to = over.from;
  if (take('-')) {
    over.is_one = false;
    over.to = read_value(true);
    if (over.to < over.from) {
      refuse(start, "the range ends before it begins; one that passes the end is written as two: a-" +
                        std::to_string(kind_.most) + ",b-c");
    }
  }
  read_step(start, over);
}

/// `friL`, the last one of the month, and `fri#2`, the second one.
bool cron_field_reader::read_special_weekday(int day) {
  const std::uint8_t bit = bit_of(day % 7);
  if (take_letter('l')) {
    read_.last_of_week |= bit;
    return true;
  }
  if (!take('#')) return false;
  read_.nth[static_cast<std::size_t>(read_number(1, 5, "week of a month") - 1)] |= bit;
  return true;
}

void cron_field_reader::read_step(std::size_t start, range over) {
  if (!take('/')) return add(over, 1);
  if (over.is_one) over.to = kind_.is_day_of_week ? kind_.most - 1 : kind_.most;
  const std::size_t step_at = at_;
  const int step = read_number(1, 99, "step");
  if (over.from + step > over.to) {
    refuse(step_at, "a step of " + std::to_string(step) + " leads out of the range at once, so that only " +
                        std::to_string(over.from) + " is left; write that in place of \"" +
                        printable(field_.substr(start, at_ - start)) + "\"");
  }
  add(over, step);
}

void cron_field_reader::add(range over, int step) noexcept {
  for (int value = over.from; value <= over.to; value += step) {
    const int one = kind_.is_day_of_week ? value % 7 : value;
    read_.values |= std::uint64_t{1} << static_cast<unsigned>(one);
  }
}

int cron_field_reader::read_value(bool ends_range) {
  if (is_letter(here()) && !kind_.names.empty()) return read_name(ends_range);
  return read_number(kind_.least, kind_.most, kind_.name);
}

/// Sunday ends a week as well as it begins one: sat-sun.
int cron_field_reader::read_name(bool ends_range) {
  std::string name(field_.substr(at_, name_length));
  std::transform(name.begin(), name.end(), name.begin(), &lower);
  const auto found = std::find(kind_.names.begin(), kind_.names.end(), name);
  if (found == kind_.names.end()) refuse_here(names_text());
  at_ += name_length;
  const int value = kind_.least + static_cast<int>(found - kind_.names.begin());
  return kind_.is_day_of_week && ends_range && value == 0 ? 7 : value;
}

int cron_field_reader::read_number(int least, int most, const char* what) {
  const std::size_t start = at_;
  while (is_digit(here()) && at_ - start < 3) ++at_;
  const std::string digits(field_.substr(start, at_ - start));
  if (digits.empty() || is_digit(here())) {
    at_ = start;
    refuse_here(kind_.names.empty() || what != kind_.name ? "a number" : "a number or " + names_text());
  }
  const int value = std::stoi(digits);
  if (value < least || value > most) {
    refuse(start, digits + " is no " + what + ", which goes from " + std::to_string(least) + " to " +
                      std::to_string(most));
  }
  return value;
}

std::string cron_field_reader::names_text() const {
  return "one of " + std::string(kind_.names.front()) + " to " + std::string(kind_.names.back());
}

}  // namespace weft::inline v1::jobs::detail
