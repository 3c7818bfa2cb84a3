#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <weft/jobs/job.hpp>

namespace weft::inline v1::jobs {

/// A moment further ahead than it can be is taken for another clock's up to this; beyond, the clock was set
/// back.
inline constexpr std::chrono::seconds clocks_differ_max{10};

/// The tokens of a rate, as one moment: when the bucket is full again. So it needs no timer that fills it,
/// and any process that knows this moment knows how many there are. Nanoseconds of UTC.
///
/// A value; no thread-safety.
class token_bucket {
 public:
  /// Without a rate: any number of tokens.
  token_bucket() = default;
  token_bucket(std::int64_t token_ns, std::int64_t burst, std::int64_t full_at)
      : token_ns_(token_ns), burst_(burst), full_at_(full_at) {}

  /// Full at that moment, or later where that many tokens cannot be missing: the clock was set back. True if
  /// so.
  bool settle(moment now) noexcept;
  std::int64_t tokens(moment now) const noexcept;
  void take(moment now) noexcept;
  /// One that was taken at that moment was not used. What may have been lost since is not given back: had it
  /// not been taken, the bucket might have been full all the time, and would have gained nothing. So no more
  /// begin than if it had never been taken, and after the time of a token nothing comes back.
  void give_back(moment taken, moment now) noexcept;
  /// When there is a token.
  moment next() const noexcept;
  bool is_full(moment now) const noexcept;
  /// Goes on at another rate, with as many tokens missing as now.
  void set_rate(const rate_options& rate, moment now) noexcept;

  /// One that set_rate() makes this of.
  rate_options rate() const noexcept;

  std::int64_t token_ns() const noexcept { return token_ns_; }
  std::int64_t burst() const noexcept { return burst_; }
  std::int64_t full_at() const noexcept { return full_at_; }

 private:
  std::int64_t token_ns_ = 0;  ///< between two tokens; 0: no rate
  std::int64_t burst_ = 1;
  std::int64_t full_at_ = 0;
};

/// A moment in nanoseconds, within what they can say.
std::int64_t nanoseconds_of(moment at) noexcept;
/// Throws weft::error (invalid_argument) unless a bucket can be made of it.
/// `doing`: "push a job".
void check_rate(const rate_options& rate, std::string_view doing);

}  // namespace weft::inline v1::jobs
