#include <weft/metrics/gauge.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <weft/metrics/registry.hpp>

namespace {

const weft::metrics::description open_files{.name = "test_open_files", .help = "Open files"};

TEST(metrics_gauge, goes_up_and_down) {
  weft::metrics::registry all;
  const auto one = all.get_gauge(open_files);
  EXPECT_EQ(one.value(), 0);
  one.set(5);
  one.add();
  one.sub(2.5);
  EXPECT_EQ(one.value(), 3.5);
  EXPECT_EQ(all.take_snapshot().find("test_open_files", {})->value, 3.5);
}

TEST(metrics_gauge, takes_any_double) {
  weft::metrics::registry all;
  const auto one = all.get_gauge(open_files);
  one.set(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(one.value(), -std::numeric_limits<double>::infinity());
  one.set(std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(std::isnan(one.value()));
}

TEST(metrics_gauge, raise_to_keeps_the_highest_of_all_threads) {
  weft::metrics::registry all;
  const auto peak = all.get_gauge(open_files);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) peak.raise_to(4 * ((i * 7) % 1000) + t);
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(peak.value(), 4 * 999 + 3);
  peak.raise_to(1);
  EXPECT_EQ(peak.value(), 4 * 999 + 3);
}

TEST(metrics_gauge, four_threads_that_add_and_sub_lose_nothing) {
  weft::metrics::registry all;
  const auto one = all.get_gauge(open_files);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        one.add(3);
        one.sub(2);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(one.value(), 80'000);
}

TEST(metrics_gauge, an_empty_handle_does_nothing) {
  const weft::metrics::gauge none;
  none.set(3);
  none.add();
  none.raise_to(9);
  EXPECT_EQ(none.value(), 0);
}

}  // namespace
