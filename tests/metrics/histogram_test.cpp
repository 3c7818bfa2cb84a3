#include <weft/metrics/histogram.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/metrics/registry.hpp>

namespace {

using namespace std::chrono_literals;
using weft::metrics::duration_bounds;
using weft::metrics::exponential_bounds;
using weft::metrics::registry;

const weft::metrics::description sizes{.name = "test_size_bytes", .help = "Sizes", .unit = "bytes"};

TEST(metrics_histogram, a_value_equal_to_a_bound_is_below_it) {
  registry all;
  const auto one = all.get_histogram(sizes, {1, 10, 100});
  for (const double value : {-5.0, 1.0, 1.5, 10.0, 10.5, 100.0, 100.5, 1e9}) one.record(value);
  const auto now = one.read();
  EXPECT_EQ(now.counts, (std::vector<std::uint64_t>{2, 2, 2, 2}));
  EXPECT_EQ(now.count(), 8U);
  EXPECT_EQ(now.sum, -5 + 1 + 1.5 + 10 + 10.5 + 100 + 100.5 + 1e9);
}

TEST(metrics_histogram, puts_each_value_where_a_search_from_the_front_would) {
  const auto bounds = exponential_bounds(0.001, 1.7, weft::metrics::buckets_max);
  registry all;
  const auto one = all.get_histogram(sizes, bounds);
  std::vector<std::uint64_t> expected(bounds.size() + 1);
  for (double value = 0.0001; value < bounds.back() * 4; value *= 1.3) {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && value > bounds[bucket]) ++bucket;
    ++expected[bucket];
    one.record(value);
  }
  EXPECT_EQ(one.read().counts, expected);
}

TEST(metrics_histogram, durations_are_in_seconds) {
  registry all;
  const auto one = all.get_histogram({.name = "test_wait_seconds", .help = "Waits", .unit = "seconds"});
  one.record(1500us);
  one.record(2min);
  const auto now = one.read();
  EXPECT_EQ(now.bounds, duration_bounds());
  EXPECT_DOUBLE_EQ(now.sum, 120.0015);
  EXPECT_EQ(now.counts.back(), 1U);
  EXPECT_EQ(now.counts[7], 1U);  // above 1 ms, up to 2 ms
  EXPECT_EQ(now.bounds[7], 2e-3);
}

TEST(metrics_histogram, leaves_out_what_is_not_finite_and_counts_it) {
  registry all;
  const auto one = all.get_histogram(sizes, {1});
  one.record(std::numeric_limits<double>::quiet_NaN());
  one.record(std::numeric_limits<double>::infinity());
  one.record(0.5);
  EXPECT_EQ(one.read().count(), 1U);
  EXPECT_EQ(one.read().sum, 0.5);
  const auto now = all.take_snapshot();
  EXPECT_EQ(now.find("weft_metrics_refused_values_total", {"test_size_bytes"})->value, 2);
}

TEST(metrics_histogram, four_threads_lose_nothing) {
  constexpr int rounds = 50'000;
  registry all;
  const auto one = all.get_histogram(sizes, {1, 2, 3});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) one.record(t + 1);
    });
  }
  for (auto& thread : threads) thread.join();
  const auto now = one.read();
  EXPECT_EQ(now.counts, (std::vector<std::uint64_t>{rounds, rounds, rounds, rounds}));
  EXPECT_EQ(now.sum, 10.0 * rounds);
}

TEST(metrics_histogram, a_snapshot_while_others_record_holds_whole_counts_that_only_grow) {
  constexpr std::uint64_t rounds = 20'000;
  registry all;
  const auto one = all.get_histogram(sizes, {1, 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < rounds; ++i) one.record(t + 1);
    });
  }
  std::vector<std::uint64_t> last(3);
  while (last != std::vector<std::uint64_t>(3, rounds)) {
    const auto now = all.take_snapshot().find("test_size_bytes", {})->histogram;
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_GE(now.counts[i], last[i]);
      ASSERT_LE(now.counts[i], rounds);
    }
    last = now.counts;
  }
  for (auto& thread : threads) thread.join();
}

TEST(metrics_histogram, quantiles_lie_in_the_bucket_of_their_rank) {
  weft::metrics::histogram_reading some{.bounds = {10, 20, 40}, .counts = {0, 10, 30, 10}};
  EXPECT_EQ(some.quantile(0.2), 20);
  EXPECT_EQ(some.quantile(0.5), 30);
  EXPECT_EQ(some.quantile(0.1), 15);
  EXPECT_EQ(some.quantile(0), 10);
  EXPECT_EQ(some.quantile(0.99), 40);
  some.counts = {0, 0, 0, 0};
  EXPECT_TRUE(std::isnan(some.quantile(0.5)));
}

TEST(metrics_histogram, exponential_bounds_grow_by_their_factor) {
  EXPECT_EQ(exponential_bounds(1, 4, 4), (std::vector<double>{1, 4, 16, 64}));
  EXPECT_THROW(exponential_bounds(0, 2, 3), weft::error);
  EXPECT_THROW(exponential_bounds(1, 1, 3), weft::error);
  EXPECT_THROW(exponential_bounds(1, std::numeric_limits<double>::quiet_NaN(), 3), weft::error);
  EXPECT_THROW(exponential_bounds(1, 2, 0), weft::error);
  EXPECT_THROW(exponential_bounds(1, 2, weft::metrics::buckets_max + 1), weft::error);
  EXPECT_THROW(exponential_bounds(1e300, 1e5, 9), weft::error);
}

TEST(metrics_histogram, an_empty_handle_records_nothing) {
  const weft::metrics::histogram none;
  none.record(1);
  EXPECT_EQ(none.read().count(), 0U);
}

}  // namespace
