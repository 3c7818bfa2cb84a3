#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <weft/core/clock.hpp>
#include <weft/fiber/event.hpp>

namespace weft::http::detail {

/// Decides which requests a server takes on where there are more than it can serve.
///
/// The delay of a request is how long its fiber was in line before it ran. It is measured by a fiber that
/// walks through the same line: what runs while that stands in line has waited at least as long as it has. It
/// is woken by the first request after a pause and lies down when it meets nobody else in line, so it costs
/// two switches for each round of the loop, however many requests are in it.
///
/// As in CoDel, a delay above the bound is let pass while it comes from a burst: requests are turned away
/// only where the loop had no rest for an interval. Those that waited longer are, so that the others are
/// served while their clients still want them. One in each walk is served however long it waited: else a
/// server that is never at rest for other reasons, such as turning away, would serve nobody.
///
/// One of each loop.
class admission {
 public:
  /// How long the loop may have been without rest before it counts as overloaded; only one a walk waits
  /// longer.
  static constexpr std::chrono::milliseconds interval{100};

  /// `running` is shared by all loops of the server. Zero: no bound.
  admission(std::atomic<std::size_t>& running, std::size_t requests_max,
            std::chrono::milliseconds delay_max) noexcept
      : running_(running), requests_max_(requests_max), delay_max_(delay_max) {}

  /// A request came. True: to be served; end() follows.
  bool begin() noexcept;
  void end() noexcept {
    if (requests_max_ != 0) running_.fetch_sub(1, std::memory_order_relaxed);
  }

  bool measures() const noexcept { return delay_max_.count() > 0; }
  /// Before measure() is cancelled: nobody is turned away for a delay that nobody measures.
  void stop_measuring() noexcept { delay_max_ = std::chrono::milliseconds(0); }
  /// The walk through the line; until it is cancelled.
  void measure();

 private:
  bool has_room() noexcept;
  bool came_in_time() noexcept;

  std::atomic<std::size_t>& running_;  // requests of the whole server; with requests_max_ only
  const std::size_t requests_max_;
  std::chrono::milliseconds delay_max_;
  event wanted_;                              // by somebody who found no measurement under way
  std::optional<steady_time> in_line_since_;  // the measuring fiber
  bool served_in_walk_ = false;
};

}  // namespace weft::http::detail
