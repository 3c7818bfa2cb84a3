#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <weft/jobs/clock.hpp>
#include <weft/jobs/time_zone.hpp>

namespace weft::inline v1::jobs {

namespace detail {
struct cron_rule;
}

/// When something is due again and again: a cron expression, and the time zone that it is meant in.
///
///     minute hour day-of-month month day-of-week          or the same with seconds in front
///
/// A field is a list of values, ranges (`1-5`) and steps (`*/15`, `8-18/2`); months and days of the week have
/// names; `L` is the last day of a month, `L-2` two days before, `friL` the last Friday and `fri#2` the
/// second one.
/// `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` are short for the usual ones. Where both kinds of
/// days are restricted, one of them is enough, unless one begins with `*`. docs/cron.md has it all.
///
/// Where clocks are changed: an expression that restricts the hour is due once for each time that it names. A
/// time that clocks are put forward over is due at that moment, several such times are due once, and of a
/// time that comes twice the first one counts. An expression that is due in every hour follows the clocks:
/// nothing is made up for an hour that is left out, and an hour that comes twice counts twice.
///
/// Thread-safety: a value; const members from any thread.
class cron {
 public:
  /// Throws weft::error (invalid_argument) that names the field and the character; also where the expression
  /// is never due, as on the 30th of February.
  explicit cron(std::string_view expression, time_zone zone = {});

  /// The first time after that moment; a whole second. Throws weft::error (invalid_argument) for moments
  /// outside the years 1 to 2399. Cost: a microsecond or so, a few hundred at most.
  moment next_after(moment after) const;

  /// As it was given.
  const std::string& expression() const noexcept;
  const time_zone& zone() const noexcept { return zone_; }

  friend bool operator==(const cron& one, const cron& other) noexcept {
    return one.expression() == other.expression() && one.zone() == other.zone();
  }

 private:
  std::shared_ptr<const detail::cron_rule> rule_;  // never null
  time_zone zone_;
};

}  // namespace weft::inline v1::jobs
