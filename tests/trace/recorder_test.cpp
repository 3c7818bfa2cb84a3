#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <weft/trace/span.hpp>

#include "trace/recording.hpp"

namespace weft::trace {
namespace {

using testing::recording;

finished_span named(std::string name) {
  finished_span made;
  made.name = std::move(name);
  return made;
}

std::string names(const std::vector<finished_span>& all) {
  std::string text;
  for (const auto& one : all) text += one.name;
  return text;
}

TEST(recorder, keeps_spans_in_the_order_in_which_they_ended) {
  recorder kept;
  for (const char* const name : {"a", "b", "c"}) kept.record(named(name));
  EXPECT_EQ(names(kept.snapshot()), "abc");
  EXPECT_EQ(names(kept.snapshot()), "abc");
  EXPECT_EQ(kept.size(), 3U);
  EXPECT_EQ(names(kept.drain(2)), "ab");
  EXPECT_EQ(kept.size(), 1U);
  EXPECT_EQ(names(kept.drain()), "c");
  EXPECT_EQ(names(kept.drain()), "");
  EXPECT_EQ(kept.recorded(), 3U);
  EXPECT_EQ(kept.dropped(), 0U);
}

TEST(recorder, drops_the_oldest_beyond_its_bound_and_counts_them) {
  recorder kept({.spans_max = 3});
  for (const char* const name : {"a", "b", "c", "d", "e"}) kept.record(named(name));
  EXPECT_EQ(names(kept.drain()), "cde");
  EXPECT_EQ(kept.recorded(), 5U);
  EXPECT_EQ(kept.dropped(), 2U);
}

TEST(recorder, is_bounded_in_bytes_too) {
  recorder kept({.bytes_max = 25});
  for (const char one : {'a', 'b', 'c'}) kept.record(named(std::string(10, one)));
  EXPECT_EQ(names(kept.snapshot()), std::string(10, 'b') + std::string(10, 'c'));
  kept.record(named(std::string(26, 'd')));
  EXPECT_EQ(names(kept.drain()), "");
  EXPECT_EQ(kept.dropped(), 4U);
}

TEST(recorder, tells_each_time_so_many_are_kept) {
  recorder kept({.spans_max = 4});
  int told = 0;
  kept.tell_at(3, [&] {
    ++told;
    EXPECT_EQ(kept.snapshot().size(), 3U);  // no lock is held
  });
  for (int i = 0; i < 2; ++i) kept.record(named("a"));
  EXPECT_EQ(told, 0);
  for (int i = 0; i < 5; ++i) kept.record(named("a"));  // full, and above it all the time
  EXPECT_EQ(told, 1);
  kept.drain(2);
  kept.record(named("a"));
  EXPECT_EQ(told, 2);
  kept.tell_at(0, nullptr);
  kept.drain();
  for (int i = 0; i < 4; ++i) kept.record(named("a"));
  EXPECT_EQ(told, 2);
}

TEST(recorder, a_bound_of_nothing_keeps_nothing) {
  recorder kept({.spans_max = 0});
  kept.record(named("a"));
  EXPECT_EQ(names(kept.snapshot()), "");
  EXPECT_EQ(kept.dropped(), 1U);
}

TEST(recorder, a_span_ends_in_the_recorder_it_began_in) {
  const recording outer;
  const span began("began");
  {
    const recording inner;
    const span other("other");
    exchange_recorder(nullptr);
    const span nowhere("nowhere");
    EXPECT_EQ(current_recorder(), nullptr);
    EXPECT_EQ(inner->recorded(), 0U);
  }
  EXPECT_EQ(outer->recorded(), 0U);
}

TEST(recorder, takes_spans_of_many_threads_while_it_is_drained_and_replaced) {
  constexpr int threads = 4;
  constexpr int spans = 2000;
  const recording kept({.spans_max = 100});
  const auto spare = std::make_shared<recorder>();
  std::atomic<int> running{threads};
  std::mutex mutex;
  std::set<std::string> ids;
  std::vector<std::thread> all;
  for (int number = 0; number < threads; ++number) {
    all.emplace_back([&] {
      std::set<std::string> own;
      for (int count = 0; count < spans; ++count) {
        span one("one", {{"count", count}});
        if (current() != nullptr) own.insert(to_string(current()->span));
      }
      const std::lock_guard lock(mutex);
      ids.merge(own);
      --running;
    });
  }
  std::uint64_t taken = 0;
  while (running > 0) {
    taken += kept->drain().size();
    const auto mine = exchange_recorder(spare);
    exchange_recorder(mine);
    std::this_thread::yield();
  }
  for (auto& one : all) one.join();
  taken += kept->drain().size();
  EXPECT_EQ(taken + kept->dropped(), kept->recorded());
  EXPECT_EQ(kept->recorded() + spare->recorded(), static_cast<std::uint64_t>(threads * spans));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(threads * spans));
}

}  // namespace
}  // namespace weft::trace
