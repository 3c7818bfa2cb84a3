#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/failure.hpp>

namespace weft::inline v1::jobs {

/// How long a job waits after an attempt that failed: first, first * base, first * base^2 ..., at most
/// `longest`, plus a random part of up to `jitter` of it. Without jitter the schedule is exact.
struct retry_policy {
  std::chrono::microseconds first = std::chrono::seconds(1);
  double base = 2;
  std::chrono::microseconds longest = std::chrono::hours(1);
  double jitter = 0;  ///< 0 to 1
  /// Is another attempt of any use after that failure? Empty: always.
  std::function<bool(const failure&)> retry_if = {};

  bool for_ever = false;  ///< failures are not counted: max_attempts of jobs has no effect
  /// Age of a job, from the moment that it was pushed for, at which a failed attempt that is to be tried
  /// again logs one error, once for the job. 0: never.
  std::chrono::microseconds alert_after{0};

  /// Every `wait`, until it works. The function may still give up: retries_exceeded, job_too_old.
  static retry_policy forever(std::chrono::microseconds wait, std::chrono::microseconds alert_after = {});

  /// The wait after the `failed`-th failed attempt; `random` is 0 to 1.
  std::chrono::microseconds wait_after(int failed, double random = 0) const;
};

/// control::backoff was asked for more than its schedule has. Nested in it: the error that it was
/// given last. A job whose attempt ends with it is dead at once.
class retries_exceeded : public error {
 public:
  explicit retries_exceeded(std::string message) : error(errc::resource_exhausted, std::move(message)) {}
};

/// control::delay was asked for an attempt past the limit on the job's age. A job whose attempt ends with it
/// is dead at once.
class job_too_old : public error {
 public:
  explicit job_too_old(std::string message) : error(errc::timed_out, std::move(message)) {}
};

}  // namespace weft::inline v1::jobs
