#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

#include <weft/fiber/event.hpp>

#include "http/shedding.hpp"

namespace weft::inline v1::http::detail {

/// Decides which requests a server takes on where there are more than it can serve: by their number, and by
/// how long they were in line, which a fiber measures that walks through it (`shedding`).
///
/// That fiber is woken by the first request after a pause and lies down when it meets nobody else in line, so
/// it costs two switches for each round of the loop, however many requests are in it.
///
/// One of each loop.
class admission {
 public:
  /// `running` is shared by all loops of the server. Zero: no bound.
  admission(std::atomic<std::size_t>& running, std::size_t requests_max,
            std::chrono::milliseconds delay_max) noexcept;

  /// A request came. True: to be served; end() follows.
  bool begin() noexcept;
  void end() noexcept {
    if (requests_max_ != 0) running_.fetch_sub(1, std::memory_order_relaxed);
  }

  bool measures() const noexcept { return measures_; }
  /// Before measure() is cancelled: nobody is turned away for a delay that nobody measures.
  void stop_measuring() noexcept { measures_ = false; }
  /// The walk through the line; until it is cancelled.
  void measure();

 private:
  bool has_room() noexcept;
  bool came_in_time() noexcept;

  std::atomic<std::size_t>& running_;  // requests of the whole server; with requests_max_ only
  const std::size_t requests_max_;
  bool measures_;
  shedding by_delay_;
  event wanted_;  // by somebody who found no measurement under way
};

}  // namespace weft::inline v1::http::detail
