#pragma once

#include <chrono>
#include <optional>

#include <weft/core/clock.hpp>

namespace weft::inline v1::workers::detail {

/// Until when a call may last, waiting included.
struct call_bound {
  steady_time until = no_deadline;
  std::optional<std::chrono::nanoseconds> time;  ///< for messages

  static call_bound after(std::optional<std::chrono::nanoseconds> time) {
    return {time ? deadline_after(*time) : no_deadline, time};
  }
};

}  // namespace weft::inline v1::workers::detail
