#include "jobs/token_bucket.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::chrono::hours period_max{24 * 366};
constexpr std::int64_t filled_in_ns_max = std::int64_t{10} * 366 * 86'400 * second_ns;
constexpr std::int64_t nanoseconds_max = std::int64_t{6} * 1'000'000'000 * second_ns;  // of the year 2160

std::int64_t wanted_burst(const rate_options& rate) { return rate.burst > 0 ? rate.burst : rate.count; }

std::int64_t interval_of(const rate_options& rate) {
  if (rate.count <= 0) return 0;
  const std::int64_t period =
      std::chrono::nanoseconds(
          std::clamp<std::chrono::microseconds>(rate.period, std::chrono::microseconds(1), period_max))
          .count();
  return (period + rate.count - 1) / rate.count;  // rather too few tokens than too many
}

}  // namespace

std::int64_t nanoseconds_of(moment at) noexcept {
  const std::int64_t micros = at.time_since_epoch().count();
  return std::clamp(micros, std::int64_t{0}, nanoseconds_max / 1000) * 1000;
}

void check_rate(const rate_options& rate, std::string_view doing) {
  const bool fits = rate.count == 0 ||
                    (rate.count > 0 && rate.burst >= 0 && rate.period.count() > 0 &&
                     rate.period <= period_max && wanted_burst(rate) <= filled_in_ns_max / interval_of(rate));
  if (fits) return;
  throw error(
      errc::invalid_argument,
      "jobs: " + std::string(doing) +
          ": the rate of its limit needs a count, a period of up to a year, and a burst that is filled "
          "within ten years");
}

void token_bucket::set_rate(const rate_options& rate, moment now) noexcept {
  const std::int64_t before_ns = std::exchange(token_ns_, interval_of(rate));
  burst_ = 1;
  if (token_ns_ > 0)
    burst_ = std::clamp(wanted_burst(rate), std::int64_t{1},
                        std::max(filled_in_ns_max / token_ns_, std::int64_t{1}));
  if (before_ns == 0 || token_ns_ == 0 || token_ns_ == before_ns) return;
  // As many tokens are missing as before, parts of one too: pushes that change it all the time lose none.
  const std::int64_t missing_ns = std::max(full_at_ - nanoseconds_of(now), std::int64_t{0});
  const std::int64_t missing = std::min(missing_ns / before_ns, burst_);
  const double part = static_cast<double>(missing_ns % before_ns) * static_cast<double>(token_ns_) /
                      static_cast<double>(before_ns);
  full_at_ = nanoseconds_of(now) +
             std::min(missing * token_ns_ + static_cast<std::int64_t>(std::ceil(part)), burst_ * token_ns_);
}

rate_options token_bucket::rate() const noexcept {
  if (token_ns_ == 0) return {};
  rate_options made{1, std::chrono::ceil<std::chrono::microseconds>(std::chrono::nanoseconds(token_ns_)),
                    static_cast<int>(burst_)};
  for (const std::chrono::seconds period : {1s, 60s, 3600s, 86'400s}) {
    const std::int64_t count = (std::chrono::nanoseconds(period).count() + token_ns_ / 2) / token_ns_;
    if (count < 1 || count > INT32_MAX) continue;
    const rate_options said{static_cast<int>(count), period, made.burst};
    if (interval_of(said) != token_ns_) continue;
    made = said;
    break;
  }
  if (made.burst == made.count) made.burst = 0;
  return made;
}

bool token_bucket::settle(moment now) noexcept {
  const std::int64_t latest = nanoseconds_of(now) + burst_ * token_ns_;
  if (full_at_ <= latest + std::chrono::nanoseconds(clocks_differ_max).count()) return false;
  full_at_ = latest;
  return true;
}

std::int64_t token_bucket::tokens(moment now) const noexcept {
  if (token_ns_ == 0) return INT64_MAX;
  const std::int64_t missing = std::max(full_at_ - nanoseconds_of(now), std::int64_t{0});
  return std::max(burst_ * token_ns_ - missing, std::int64_t{0}) / token_ns_;
}

void token_bucket::take(moment now) noexcept {
  if (token_ns_ > 0) full_at_ = std::max(full_at_, nanoseconds_of(now)) + token_ns_;
}

void token_bucket::give_back(moment taken, moment now) noexcept {
  const std::int64_t passed_ns = nanoseconds_of(now) - nanoseconds_of(taken);
  full_at_ -= std::clamp(token_ns_ - passed_ns, std::int64_t{0}, token_ns_);
}

moment token_bucket::next() const noexcept {
  const std::int64_t at = full_at_ - (burst_ - 1) * token_ns_;
  return moment(std::chrono::ceil<std::chrono::microseconds>(std::chrono::nanoseconds(at)));
}

bool token_bucket::is_full(moment now) const noexcept { return full_at_ <= nanoseconds_of(now); }

}  // namespace weft::inline v1::jobs
