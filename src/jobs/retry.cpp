#include <weft/jobs/retry.hpp>

#include <algorithm>
#include <cmath>

#include "jobs/longest_wait.hpp"

namespace weft::inline v1::jobs {
namespace {

[[maybe_unused]] const bool registered = [] {
  register_error<retries_exceeded>("weft.jobs.retries_exceeded");
  register_error<job_too_old>("weft.jobs.job_too_old");
  return true;
}();

}  // namespace

retry_policy retry_policy::forever(std::chrono::microseconds wait, std::chrono::microseconds alert_after) {
  return {.first = wait, .base = 1, .longest = wait, .for_ever = true, .alert_after = alert_after};
}

std::chrono::microseconds retry_policy::wait_after(int failed, double random) const {
  if (first.count() <= 0) return std::chrono::microseconds(0);
  const auto most = static_cast<double>(bounded_wait(longest).count());
  const double grown = static_cast<double>(first.count()) * std::pow(base, std::max(failed, 1) - 1);
  const double bounded = grown < most ? std::max(grown, 0.0) : most;
  const double spread = bounded * std::clamp(jitter, 0.0, 1.0) * std::clamp(random, 0.0, 1.0);
  return bounded_wait(std::chrono::microseconds(static_cast<std::int64_t>(bounded + spread)));
}

}  // namespace weft::inline v1::jobs
