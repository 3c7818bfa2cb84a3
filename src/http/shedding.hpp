#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include <weft/core/clock.hpp>

namespace weft::inline v1::http::detail {

/// Says which requests a loop turns away because it has more of them than it can serve.
///
/// The delay of a request is how long its fiber was in line before it ran. It is measured by a fiber that
/// walks through the same line: what runs while that stands in line has waited at least as long as it has.
///
/// As in CoDel, a delay above the bound is let pass while it comes from a burst: requests are turned away
/// only where the loop had no rest for an interval. Those that waited longer are, so that the others are
/// served while their clients still want them. One in each walk is served however long it waited: else a
/// server that is never at rest for other reasons, such as turning away, would serve nobody.
///
/// Turning away gives a loop rest that it would not have had. So it counts what it left undone, at the mean
/// time of those that it served, and takes off what it rests: until nothing is left it could not have served
/// all, and each delay is still one of an overload. Without that, a server a bit above what it can do would
/// take every rest for the end of it and serve the next interval late.
///
/// Not thread-safe.
class shedding {
 public:
  /// How long the loop may have been without rest before it counts as overloaded; only one a walk waits
  /// longer. Not more than that is remembered as undone: an overload shall not last on when it is over.
  static constexpr std::chrono::milliseconds interval{100};

  /// When the loop last had rest.
  using rest_clock = steady_time (*)() noexcept;

  shedding(std::chrono::milliseconds delay_max, rest_clock at_rest) noexcept
      : delay_max_(delay_max), at_rest_(at_rest) {}

  /// A request came to its turn, in a walk or as the first after a pause, with which one begins. False: turn
  /// it away.
  bool takes(steady_time now) noexcept;
  /// One that it took is served.
  void serves() noexcept { ++served_in_walk_; }

  bool is_walking() const noexcept { return walk_began_.has_value(); }
  /// The walk is at its end, after the time that is returned; the next begins.
  steady_clock::duration end_walk(steady_time now) noexcept;
  /// The walk that has just begun is none: nobody is in line.
  void pause() noexcept;

 private:
  bool is_overloaded(steady_time now) const noexcept;
  void note_rest(steady_time until) noexcept;

  const std::chrono::milliseconds delay_max_;
  const rest_clock at_rest_;
  std::optional<steady_time> walk_began_;
  steady_time paused_{};
  std::size_t served_in_walk_ = 0;
  std::size_t turned_away_in_walk_ = 0;
  // Of the last walks, for the mean time of a request.
  steady_clock::duration walked_{};
  std::size_t served_ = 0;
  steady_clock::duration undone_{};  // what those turned away would have taken, less the rest since
};

}  // namespace weft::inline v1::http::detail
