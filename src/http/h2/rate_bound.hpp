#pragma once

#include <chrono>
#include <cstddef>

#include <weft/core/clock.hpp>

namespace weft::inline v1::http::detail::h2 {

/// Counts what may happen so often in ten seconds, on average: what came is forgotten evenly over time.
class rate_bound {
 public:
  explicit rate_bound(std::size_t max) noexcept : max_(static_cast<double>(max)) {}

  /// It happened. False: too often.
  bool takes(steady_time now) noexcept {
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    level_ -= max_ * (passed / window);
    if (level_ < 0) level_ = 0;
    level_ += 1;
    return level_ <= max_;
  }

 private:
  static constexpr std::chrono::duration<double> window{10};
  double max_;
  double level_ = 0;
  steady_time last_{};
};

}  // namespace weft::inline v1::http::detail::h2
