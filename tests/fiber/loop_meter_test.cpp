#include "fiber/loop_meter.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include <weft/metrics/registry.hpp>

namespace {

using namespace std::chrono_literals;
using weft::detail::loop_meter;

/// A meter with a registry of its own, and a clock that the test sets.
class a_loop_meter : public testing::Test {
 protected:
  weft::metrics::histogram_reading lags() const { return lag_.read(); }
  weft::steady_time at(weft::steady_clock::duration since_begin) const { return begin_ + since_begin; }

  weft::metrics::registry registry_;
  weft::metrics::histogram lag_ =
      registry_.get_histogram({.name = "test_lag_seconds", .help = "lags", .unit = "seconds"});
  loop_meter meter_{lag_, {}};

 private:
  const weft::steady_time begin_{1h};
};

TEST_F(a_loop_meter, records_how_long_those_in_line_took) {
  meter_.begin_turn(at(0ms), 1, 3);
  meter_.begin_turn(at(2ms), 3, 9);  // the third one has not been served
  meter_.flush();
  EXPECT_EQ(lags().count(), 0U);
  meter_.begin_turn(at(7ms), 5, 11);
  meter_.flush();
  EXPECT_EQ(lags().count(), 1U);
  EXPECT_DOUBLE_EQ(lags().sum, 7e-3);
}

TEST_F(a_loop_meter, does_not_count_sleep) {
  meter_.begin_turn(at(0ms), 1, 1);
  meter_.end_line(at(2ms));
  meter_.begin_turn(at(1h), 2, 2);  // it slept
  meter_.end_line(at(1h + 1ms));
  meter_.flush();
  EXPECT_EQ(lags().count(), 2U);
  EXPECT_DOUBLE_EQ(lags().sum, 3e-3);
}

TEST_F(a_loop_meter, records_nothing_of_turns_without_fibers) {
  for (int turn = 0; turn < 10; ++turn) meter_.begin_turn(at(turn * 2ms), loop_meter::nobody, 0);
  meter_.flush();
  EXPECT_EQ(lags().count(), 0U);
}

TEST_F(a_loop_meter, records_the_longest_lag_of_each_millisecond) {
  meter_.begin_turn(at(0us), 1, 1);
  const std::chrono::microseconds turns[] = {100us, 400us, 500us, 600us};
  std::int64_t line = 1;
  for (const auto turn : turns) {
    ++line;
    meter_.begin_turn(at(turn), line, line);
  }
  EXPECT_EQ(lags().count(), 0U);
  ++line;
  meter_.begin_turn(at(1000us), line, line);
  EXPECT_EQ(lags().count(), 1U);
  EXPECT_DOUBLE_EQ(lags().sum, 400e-6);
}

TEST_F(a_loop_meter, asks_for_figures_once_a_millisecond) {
  EXPECT_TRUE(meter_.begin_turn(at(0us), 1, 1));
  EXPECT_FALSE(meter_.begin_turn(at(999us), 2, 2));
  EXPECT_TRUE(meter_.begin_turn(at(1000us), 3, 3));
}

}  // namespace
