#include <weft/metrics/counter.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

#include <weft/metrics/registry.hpp>

namespace {

using weft::metrics::counter;
using weft::metrics::registry;

const weft::metrics::description hits{.name = "test_hits_total", .help = "Hits"};

TEST(metrics_counter, adds_whole_and_broken_amounts) {
  registry all;
  const counter one = all.get_counter(hits);
  one.add();
  one.add(41);
  one.add(std::uint64_t{1} << 40U);
  one.add(0.5);
  EXPECT_EQ(one.value(), 42.5 + static_cast<double>(std::uint64_t{1} << 40U));
}

TEST(metrics_counter, copies_count_in_the_same_place) {
  static_assert(std::is_trivially_copyable_v<counter> && sizeof(counter) == sizeof(void*));
  registry all;
  const counter one = all.get_counter(hits);
  const counter copy = one;
  const counter again = all.get_counter(hits);
  one.add();
  copy.add();
  again.add();
  EXPECT_EQ(one.value(), 3);
}

TEST(metrics_counter, an_empty_handle_counts_nothing) {
  const counter none;
  none.add();
  none.add(2.5);
  none.add(-1);
  EXPECT_EQ(none.value(), 0);
}

TEST(metrics_counter, leaves_out_negative_amounts_and_what_is_no_number_and_counts_them) {
  registry all;
  const counter one = all.get_counter(hits);
  one.add(3);
  one.add(-1);
  one.add(std::numeric_limits<std::int64_t>::min());
  one.add(-0.5);
  one.add(std::numeric_limits<double>::quiet_NaN());
  one.add(std::numeric_limits<double>::infinity());
  EXPECT_EQ(one.value(), 3);
  const auto now = all.take_snapshot();
  const auto* const refused = now.find("weft_metrics_refused_values_total", {"test_hits_total"});
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->value, 5);
}

TEST(metrics_counter, four_threads_lose_nothing) {
  constexpr int rounds = 100'000;
  registry all;
  const counter whole = all.get_counter(hits);
  const counter broken = all.get_counter({.name = "test_seconds_total", .help = "Time", .unit = "seconds"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        whole.add();
        broken.add(0.25);
      }
    });
  }
  for (auto& one : threads) one.join();
  EXPECT_EQ(whole.value(), 4 * rounds);
  EXPECT_EQ(broken.value(), rounds);
}

TEST(metrics_counter, more_threads_than_shards_lose_nothing) {
  registry all;
  const counter one = all.get_counter(hits);
  for (std::size_t round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t <= weft::metrics::detail::shards_max; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) one.add();
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(one.value(), 200 * (weft::metrics::detail::shards_max + 1));
}

TEST(metrics_counter, never_goes_back_between_snapshots_while_others_count) {
  registry all;
  const counter one = all.get_counter(hits);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) one.add();
    });
  }
  double last = 0;
  while (last < 60'000) {
    const double now = all.take_snapshot().find("test_hits_total", {})->value;
    ASSERT_GE(now, last);
    last = now;
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(last, 60'000);
}

}  // namespace
