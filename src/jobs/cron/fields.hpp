#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace weft::inline v1::jobs::detail {

/// The days of a cron expression.
struct cron_days {
  std::uint32_t of_month = 0;            ///< bit n: the n-th
  std::uint32_t before_last = 0;         ///< bit n: n days before the last one of the month
  std::uint8_t of_week = 0;              ///< bit 0: Sunday
  std::uint8_t last_of_week = 0;         ///< the last one of that name in the month
  std::array<std::uint8_t, 5> nth = {};  ///< nth[0]: the first one of that name in the month, ...
  bool any_of_month = false;             ///< the field begins with *
  bool any_of_week = false;

  bool fits_month(std::chrono::year_month_day date) const noexcept;
  bool fits_week(std::chrono::year_month_day date) const noexcept;
  /// Where both fields restrict, one is enough.
  bool fit(std::chrono::year_month_day date) const noexcept;
};

/// What a cron expression says, as sets.
struct cron_fields {
  std::uint64_t seconds = 1;  ///< bit n: second n
  std::uint64_t minutes = 0;
  std::uint64_t hours = 0;
  std::uint64_t months = 0;  ///< bit 1: January
  cron_days days;

  bool every_hour() const noexcept { return hours == (1U << 24U) - 1; }
  /// The first time at or after `from` that clocks can show; nothing if there is none in 400 years, so never.
  std::optional<std::chrono::local_seconds> first_from(std::chrono::local_seconds from) const noexcept;

 private:
  std::optional<std::chrono::seconds> first_in_day(std::chrono::seconds from) const noexcept;
};

}  // namespace weft::inline v1::jobs::detail
