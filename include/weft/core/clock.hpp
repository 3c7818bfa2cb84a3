#pragma once

#include <chrono>

namespace weft {

/// The clock of every bound and deadline: monotonic, so a change of the wall clock moves nothing.
///
/// Its points are those of std::chrono::steady_clock, and that is what it reads; in a simulation it
/// reads the simulation's time, which passes only as far as the simulated program lets it.
/// Any thread; never waits.
class steady_clock {
 public:
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
};

/// A point of the monotonic clock.
using steady_time = steady_clock::time_point;

/// The date and time that people read: std::chrono::system_clock. In a simulation it begins at the
/// same moment for every seed and keeps step with steady_clock. Any thread; never waits.
class wall_clock {
 public:
  using duration = std::chrono::system_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::system_clock::time_point;
  static constexpr bool is_steady = false;

  static time_point now() noexcept;
};

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
