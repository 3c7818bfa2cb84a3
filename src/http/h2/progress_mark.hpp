#pragma once

#include <cstddef>

#include <weft/core/clock.hpp>

namespace weft::inline v1::http::detail::h2 {

/// When bytes went on last, in steps that count: who lets through a few of them at a time does not go on.
class progress_mark {
 public:
  void add(std::size_t bytes) noexcept {
    bytes_ += bytes;
    if (bytes_ < step) return;
    bytes_ = 0;
    last_ = steady_clock::now();
  }
  steady_time last() const noexcept { return last_; }

 private:
  static constexpr std::size_t step = 16 * 1024;
  std::size_t bytes_ = 0;
  steady_time last_{};
};

}  // namespace weft::inline v1::http::detail::h2
