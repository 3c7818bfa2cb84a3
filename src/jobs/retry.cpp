#include <weft/jobs/retry.hpp>

#include <algorithm>
#include <cmath>

namespace weft::jobs {
namespace {

[[maybe_unused]] const bool registered = [] {
  register_error<retries_exceeded>("weft.jobs.retries_exceeded");
  return true;
}();

}  // namespace

std::chrono::microseconds retry_policy::wait_after(int failed, double random) const {
  const double grown = static_cast<double>(first.count()) * std::pow(base, std::max(failed, 1) - 1);
  const double bounded = std::min(grown, static_cast<double>(longest.count()));
  const double spread = bounded * std::clamp(jitter, 0.0, 1.0) * std::clamp(random, 0.0, 1.0);
  return std::chrono::microseconds(static_cast<std::int64_t>(bounded + spread));
}

}  // namespace weft::jobs
