#pragma once

#include <algorithm>
#include <chrono>
#include <climits>

#include <weft/core/clock.hpp>

namespace weft::inline v1::detail {

/// What is left until then, as poll(2) and epoll_wait(2) take it: -1 for no_deadline, never less than 0, and
/// rounded up, so that nobody looks again and again in the last millisecond.
inline int milliseconds_until(steady_time until, steady_time now = steady_clock::now()) noexcept {
  if (until == no_deadline) return -1;
  if (until <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return static_cast<int>(std::min<long long>(left, INT_MAX));
}

}  // namespace weft::inline v1::detail
