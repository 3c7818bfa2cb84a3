#pragma once

#include <chrono>

namespace weft {

/// The clock of every bound and deadline: monotonic, so a change of the wall clock moves nothing.
using steady_clock = std::chrono::steady_clock;
/// A point of the monotonic clock.
using steady_time = steady_clock::time_point;

/// "Never": the bound of a wait without one.
inline constexpr steady_time no_deadline = steady_time::max();

/// now + `wait`, without overflow; no_deadline for waits that are too long to be reached.
template <typename Rep, typename Period>
steady_time deadline_after(std::chrono::duration<Rep, Period> wait) {
  using std::chrono::duration;
  const auto now = steady_clock::now();
  if (duration<double>(wait) >= duration<double>(no_deadline - now)) return no_deadline;
  return now + std::chrono::ceil<steady_clock::duration>(wait);
}

}  // namespace weft
