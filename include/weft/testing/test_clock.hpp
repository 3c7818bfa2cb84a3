#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <weft/jobs/clock.hpp>

namespace weft::inline v1::jobs {

/// A clock that stands still until somebody moves it. It begins in November 2023.
///
/// Thread-safe.
class test_clock final : public clock {
 public:
  test_clock() = default;
  explicit test_clock(moment at) { set(at); }

  moment now() const override { return moment(std::chrono::microseconds(micros_.load())); }
  void set(moment to) { micros_ = to.time_since_epoch().count(); }
  void advance(std::chrono::microseconds by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_{1'700'000'000'000'000};
};

}  // namespace weft::inline v1::jobs
