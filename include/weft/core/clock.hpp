#pragma once

#include <chrono>
#include <type_traits>

namespace weft::inline v1 {

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
  if (wait <= wait.zero()) return now;
  if (duration<double>(wait) >= duration<double>(no_deadline - now)) return no_deadline;
  return now + std::chrono::ceil<steady_clock::duration>(wait);
}

namespace detail {
/// Now, in the time of a simulation where there is one.
template <typename Clock>
typename Clock::time_point now_of() {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return steady_clock::now();
  } else if constexpr (std::is_same_v<Clock, std::chrono::system_clock>) {
    return wall_clock::now();
  } else {
    return Clock::now();
  }
}
}  // namespace detail

/// The point of the monotonic clock that a point of any clock amounts to now; no_deadline for points
/// that are too far to be reached. A change of the other clock afterwards does not move the wait.
template <typename Clock, typename Duration>
steady_time deadline_at(std::chrono::time_point<Clock, Duration> until) {
  using std::chrono::duration;
  // In floating point, because the difference of distant points overflows.
  const auto now = detail::now_of<Clock>();
  const duration<double> left =
      duration<double>(until.time_since_epoch()) - duration<double>(now.time_since_epoch());
  if (left > std::chrono::hours(24 * 365 * 100)) return no_deadline;
  if (left < std::chrono::hours(-1)) return steady_clock::now();
  if constexpr (std::is_same_v<typename Clock::time_point, steady_time>) {
    return steady_time(std::chrono::ceil<steady_clock::duration>(until.time_since_epoch()));
  } else {
    return deadline_after(until - now);
  }
}

/// The same without a look at the clock.
inline steady_time deadline_at(steady_time until) { return until; }

}  // namespace weft::inline v1
