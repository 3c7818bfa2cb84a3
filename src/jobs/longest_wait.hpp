#pragma once

#include <algorithm>
#include <chrono>

#include <weft/jobs/clock.hpp>

namespace weft::inline v1::jobs {

/// More than anything waits: about a century. Sums with it stay far from the ends of a moment.
inline constexpr std::chrono::microseconds longest_wait{std::int64_t{3'155'760'000} * 1'000'000};

/// `wait` within zero and longest_wait.
constexpr std::chrono::microseconds bounded_wait(std::chrono::microseconds wait) noexcept {
  return std::clamp(wait, std::chrono::microseconds(0), longest_wait);
}

}  // namespace weft::inline v1::jobs
