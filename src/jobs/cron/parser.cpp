#include "jobs/cron/parser.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

#include "jobs/cron/field_reader.hpp"

namespace weft::inline v1::jobs::detail {
namespace {

constexpr std::size_t expression_bytes_max = 256;

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr std::size_t day_of_month = 3;
constexpr std::size_t day_of_week = 5;
const std::array<cron_field_kind, 6> kinds{
    cron_field_kind{.name = "second", .least = 0, .most = 59},
    cron_field_kind{.name = "minute", .least = 0, .most = 59},
    cron_field_kind{.name = "hour", .least = 0, .most = 23},
    cron_field_kind{.name = "day of month", .least = 1, .most = 31, .is_day_of_month = true},
    cron_field_kind{.name = "month", .least = 1, .most = 12, .names = month_names},
    cron_field_kind{
        .name = "day of week", .least = 0, .most = 7, .names = weekday_names, .is_day_of_week = true},
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> short_forms{{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * sun"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

struct extent {
  std::size_t begin;
  std::size_t end;
};

bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

std::vector<extent> fields_in(std::string_view expression) {
  std::vector<extent> found;
  for (std::size_t at = 0; at < expression.size();) {
    const std::size_t begin = at;
    while (at < expression.size() && !is_space(expression[at])) ++at;
    if (at > begin) {
      found.push_back({begin, at});
    } else {
      ++at;
    }
  }
  return found;
}

[[noreturn]] void refuse(std::string_view expression, const std::string& why) {
  throw error(errc::invalid_argument, cron_text(expression) + ": " + why);
}

std::string_view long_form(std::string_view expression) {
  for (const auto& [name, meaning] : short_forms) {
    if (name == expression) return meaning;
  }
  std::string known;
  for (const auto& [name, meaning] : short_forms) known += ' ' + std::string(name);
  refuse(expression, "of the names that begin with @ there are:" + known);
}

/// The fields, and where they are; without seconds the first one is missing.
struct parsed_fields {
  std::array<cron_field, 6> fields;
  std::vector<extent> places;
  std::size_t first = 0;

  int number_of(std::size_t field) const noexcept { return static_cast<int>(field - first + 1); }
  std::size_t place_of(std::size_t field) const noexcept { return places[field - first].begin; }
};

parsed_fields parse_fields(std::string_view expression) {
  parsed_fields parsed{.fields = {}, .places = fields_in(expression)};
  if (parsed.places.size() != 5 && parsed.places.size() != 6) {
    refuse(expression,
           "it has " + std::to_string(parsed.places.size()) +
               " fields; there are 5 (minute, hour, day of month, month, day of week), or 6 with seconds "
               "in front");
  }
  parsed.first = 6 - parsed.places.size();
  parsed.fields[0].values = 1;
  for (std::size_t i = parsed.first; i < kinds.size(); ++i) {
    const auto [begin, end] = parsed.places[i - parsed.first];
    parsed.fields[i] = cron_field_reader(expression, begin, end, parsed.number_of(i), kinds[i]).read();
  }
  return parsed;
}

cron_fields to_rule(const std::array<cron_field, 6>& fields) noexcept {
  const cron_field& month_days = fields[day_of_month];
  const cron_field& week_days = fields[day_of_week];
  return {.seconds = fields[0].values,
          .minutes = fields[1].values,
          .hours = fields[2].values,
          .months = fields[4].values,
          .days = {.of_month = static_cast<std::uint32_t>(month_days.values),
                   .before_last = month_days.before_last,
                   .of_week = static_cast<std::uint8_t>(week_days.values),
                   .last_of_week = week_days.last_of_week,
                   .nth = week_days.nth,
                   .any_of_month = month_days.any,
                   .any_of_week = week_days.any}};
}

bool is_ever_due(const cron_fields& rule) noexcept {
  return rule.first_from(std::chrono::local_days(std::chrono::year(2000) / 1 / 1)).has_value();
}

/// The days of the month do not come in the months that are named, or never on such a day of the week.
void check_is_ever_due(std::string_view expression, const parsed_fields& parsed, const cron_fields& rule) {
  if (is_ever_due(rule)) return;
  cron_fields on_any_weekday = rule;
  on_any_weekday.days.of_week = 0x7F;
  on_any_weekday.days.any_of_week = true;
  const bool month_has_it = is_ever_due(on_any_weekday);
  const std::size_t field = month_has_it ? day_of_week : day_of_month;
  refuse_cron(expression, kinds[field].name, parsed.number_of(field), parsed.place_of(field),
              month_has_it ? "no such day of the week comes on such a day of the month, so it is never due"
                           : "the month has no such day, so it is never due");
}

}  // namespace

cron_fields parse_cron(std::string_view expression) {
  if (expression.size() > expression_bytes_max) {
    refuse(expression.substr(0, 32), "and so on: it has more than 256 characters");
  }
  const std::string_view meant = expression.starts_with('@') ? long_form(expression) : expression;
  const auto parsed = parse_fields(meant);
  const auto rule = to_rule(parsed.fields);
  check_is_ever_due(meant, parsed, rule);
  return rule;
}

}  // namespace weft::inline v1::jobs::detail
