#include <weft/jobs/cron.hpp>

#include <chrono>
#include <utility>

#include <weft/core/error.hpp>

#include "jobs/cron/fields.hpp"
#include "jobs/cron/parser.hpp"

namespace weft::inline v1::jobs {

namespace detail {

struct cron_rule {
  std::string expression;
  cron_fields fields;
};

}  // namespace detail

namespace {

using detail::cron_fields;
using std::chrono::local_seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr sys_seconds first_moment = sys_days(std::chrono::year(1) / 1 / 1);
constexpr sys_seconds first_too_late = sys_days(std::chrono::year(2400) / 1 / 1);

local_seconds shown(sys_seconds at, std::chrono::seconds offset) {
  return local_seconds(at.time_since_epoch() + offset);
}

/// A rule is found to be due some day when it is made.
local_seconds next_shown(const cron_fields& fields, local_seconds from) {
  const auto found = fields.first_from(from);
  if (!found) throw error(errc::internal, "cron: nothing is due in 400 years");
  return *found;
}

/// As clocks go: each stretch of time between their changes by itself.
sys_seconds next_by_clock(const cron_fields& fields, const time_zone& zone, sys_seconds after) {
  sys_seconds from = after + std::chrono::seconds(1);
  while (true) {
    const auto period = zone.period_at(from);
    const auto due = next_shown(fields, shown(from, period.offset));
    const sys_seconds found(due.time_since_epoch() - period.offset);
    if (found < period.until) return found;
    from = period.until;
  }
}

/// Each time that is named once. In the second pass of an hour that comes twice, its times have been.
sys_seconds next_by_name(const cron_fields& fields, const time_zone& zone, sys_seconds after) {
  local_seconds from = zone.local(after);
  while (true) {
    from = next_shown(fields, from + std::chrono::seconds(1));
    const sys_seconds found = zone.first_moment_of(from);
    if (found > after) return found;
  }
}

}  // namespace

cron::cron(std::string_view expression, time_zone zone)
    : rule_(std::make_shared<const detail::cron_rule>(
          detail::cron_rule{std::string(expression), detail::parse_cron(expression)})),
      zone_(std::move(zone)) {}

const std::string& cron::expression() const noexcept { return rule_->expression; }

moment cron::next_after(moment after) const {
  const auto from = std::chrono::floor<std::chrono::seconds>(after);
  if (from < first_moment || from >= first_too_late) {
    throw error(errc::invalid_argument, "cron: next_after() is for the years 1 to 2399");
  }
  const auto& fields = rule_->fields;
  return fields.every_hour() ? next_by_clock(fields, zone_, from) : next_by_name(fields, zone_, from);
}

}  // namespace weft::inline v1::jobs
