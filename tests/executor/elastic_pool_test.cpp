#include "executor/elastic_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/metrics/registry.hpp>

namespace {

using namespace std::chrono_literals;

/// Waits at its end for its threads, which use what the test has on its stack.
class elastic_pool : public weft::detail::elastic_pool {
 public:
  using weft::detail::elastic_pool::elastic_pool;
  ~elastic_pool() { stop(); }
};

/// Options under which nothing happens by the clock.
constexpr weft::blocking_options timeless{
    .threads_max = 64, .threads_eager = 2, .queue_max = 1000, .grow_after = 1h, .idle_max = 1h};

weft::blocking_options timeless_with(std::size_t max, std::size_t eager) {
  auto options = timeless;
  options.threads_max = max;
  options.threads_eager = eager;
  return options;
}

/// Lets others run until the pool says so.
template <typename Condition>
void await(const elastic_pool& pool, Condition holds) {
  while (!holds(pool.statistics())) std::this_thread::yield();
}

TEST(elastic_pool, makes_threads_at_once_up_to_its_eager_bound) {
  std::barrier<> both_inside(3);
  std::atomic<bool> third{false};
  elastic_pool pool(timeless_with(64, 2), {});
  for (int i = 0; i < 2; ++i) pool.post([&] { both_inside.arrive_and_wait(); });
  pool.post([&] { third = true; });
  EXPECT_EQ(pool.statistics().threads, 2U);
  EXPECT_FALSE(third);
  both_inside.arrive_and_wait();
  await(pool, [](auto now) { return now.started_tasks == 3; });
}

TEST(elastic_pool, makes_more_threads_for_tasks_that_waited) {
  auto options = timeless_with(40, 1);
  options.grow_after = 0us;
  std::barrier<> all_inside(41);
  elastic_pool pool(options, {});
  for (int i = 0; i < 40; ++i) pool.post([&] { all_inside.arrive_and_wait(); });
  all_inside.arrive_and_wait();
  EXPECT_EQ(pool.statistics().peak_threads, 40U);
  EXPECT_EQ(pool.statistics().refused_tasks, 0U);
}

TEST(elastic_pool, has_no_more_threads_than_its_bound) {
  auto options = timeless_with(2, 1);
  options.grow_after = 0us;
  std::barrier<> both_inside(3);
  elastic_pool pool(options, {});
  for (int i = 0; i < 2; ++i) pool.post([&] { both_inside.arrive_and_wait(); });
  for (int i = 0; i < 20; ++i) pool.post([] {});
  await(pool, [](auto now) { return now.started_tasks == 2; });
  EXPECT_EQ(pool.statistics().queued_tasks, 20U);
  both_inside.arrive_and_wait();
  await(pool, [](auto now) { return now.started_tasks == 22; });
  EXPECT_EQ(pool.statistics().peak_threads, 2U);
}

TEST(elastic_pool, refuses_tasks_above_its_queue_bound) {
  auto options = timeless_with(1, 1);
  options.queue_max = 2;
  std::latch inside(1);
  std::latch open(1);
  elastic_pool pool(options, {});
  pool.post([&] {
    inside.count_down();
    open.wait();
  });
  inside.wait();
  pool.post([] {});
  pool.post([] {});
  try {
    pool.post([] {});
    FAIL() << "a third task was let in";
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::resource_exhausted);
    EXPECT_EQ(refused.message(),
              "blocking: 2 calls wait for one of 1 threads, which is queue_max; call it less often, or raise "
              "threads_max or queue_max");
  }
  EXPECT_EQ(pool.statistics().refused_tasks, 1U);
  open.count_down();
  await(pool, [](auto now) { return now.idle_threads == 1; });
  pool.post([] {});
  await(pool, [](auto now) { return now.started_tasks == 4; });
}

TEST(elastic_pool, loses_its_threads_when_there_is_nothing_to_do_and_gets_new_ones) {
  auto options = timeless_with(8, 8);
  options.idle_max = 1ms;
  elastic_pool pool(options, {});
  for (int round = 0; round < 3; ++round) {
    std::barrier<> all_inside(6);
    for (int i = 0; i < 5; ++i) pool.post([&] { all_inside.arrive_and_wait(); });
    all_inside.arrive_and_wait();
    await(pool, [](auto now) { return now.threads == 0; });
    EXPECT_EQ(pool.statistics().idle_threads, 0U);
  }
  EXPECT_EQ(pool.statistics().started_tasks, 15U);
}

TEST(elastic_pool, calls_the_thread_that_was_freed_last) {
  std::barrier<> all_inside(4);
  elastic_pool pool(timeless_with(3, 3), {});
  for (int i = 0; i < 3; ++i) pool.post([&] { all_inside.arrive_and_wait(); });
  all_inside.arrive_and_wait();
  std::set<std::thread::id> used;
  for (std::uint64_t tasks = 3; tasks < 23; ++tasks) {
    await(pool, [&](auto now) { return now.started_tasks == tasks && now.idle_threads == 3; });
    pool.post([&] { used.insert(std::this_thread::get_id()); });
  }
  await(pool, [](auto now) { return now.started_tasks == 23 && now.idle_threads == 3; });
  EXPECT_EQ(used.size(), 1U);
}

TEST(elastic_pool, gives_up_threads_above_a_lowered_bound_and_no_task) {
  elastic_pool pool(timeless_with(4, 4), {});
  for (int round = 0; round < 2; ++round) {
    pool.set_options(timeless_with(4, 4));
    std::barrier<> all_inside(5);
    for (int i = 0; i < 4; ++i) pool.post([&] { all_inside.arrive_and_wait(); });
    if (round == 0) {  // the threads are busy when the bound falls, or free
      await(pool, [](auto now) { return now.started_tasks == 4; });
      pool.set_options(timeless_with(1, 1));
      all_inside.arrive_and_wait();
      await(pool, [](auto now) { return now.threads == 1; });
    } else {
      all_inside.arrive_and_wait();
      await(pool, [](auto now) { return now.idle_threads == 4; });
      pool.set_options(timeless_with(1, 1));
    }
    for (int i = 0; i < 30; ++i) pool.post([] {});
    const auto tasks = static_cast<std::uint64_t>(34 * (round + 1));
    await(pool, [&](auto now) { return now.started_tasks == tasks && now.idle_threads == 1; });
    EXPECT_EQ(pool.statistics().threads, 1U);
  }
}

TEST(elastic_pool, a_raised_bound_helps_tasks_that_wait) {
  auto options = timeless_with(1, 1);
  options.grow_after = 0us;
  std::barrier<> all_inside(4);
  elastic_pool pool(options, {});
  for (int i = 0; i < 3; ++i) pool.post([&] { all_inside.arrive_and_wait(); });
  await(pool, [](auto now) { return now.started_tasks == 1; });
  options.threads_max = 3;
  pool.set_options(options);
  all_inside.arrive_and_wait();
}

TEST(elastic_pool, a_shorter_wait_for_growth_holds_at_once) {
  std::barrier<> both_inside(3);
  elastic_pool pool(timeless_with(2, 1), {});
  for (int i = 0; i < 2; ++i) pool.post([&] { both_inside.arrive_and_wait(); });
  auto options = timeless_with(2, 1);
  options.grow_after = 0us;
  pool.set_options(options);
  both_inside.arrive_and_wait();
}

TEST(elastic_pool, takes_bounds_that_are_never_reached) {
  std::atomic<int> ran{0};
  {
    elastic_pool pool({.threads_max = 2,
                       .threads_eager = 1,
                       .grow_after = std::chrono::microseconds::max(),
                       .idle_max = std::chrono::milliseconds::max()},
                      {});
    for (int i = 0; i < 20; ++i) pool.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 20);
}

TEST(elastic_pool, runs_what_is_queued_before_it_ends) {
  std::atomic<int> ran{0};
  {
    elastic_pool pool(timeless_with(2, 2), {});
    for (int i = 0; i < 200; ++i) pool.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 200);
}

TEST(elastic_pool, records_how_long_each_task_waited) {
  weft::metrics::registry all;
  const auto waits = all.get_histogram({.name = "test_wait_seconds", .help = "Waits", .unit = "seconds"});
  {
    elastic_pool pool(timeless, waits);
    for (int i = 0; i < 50; ++i) pool.post([] {});
  }
  EXPECT_EQ(waits.read().count(), 50U);
  EXPECT_GT(waits.read().sum, 0);
}

TEST(elastic_pool, refuses_bounds_of_nothing) {
  for (const auto member : {&weft::blocking_options::threads_max, &weft::blocking_options::queue_max}) {
    auto options = timeless;
    options.*member = 0;
    EXPECT_THROW(elastic_pool(options, {}), weft::error);
  }
}

TEST(elastic_pool, threads_that_come_and_go_lose_no_task) {
  std::atomic<int> ran{0};
  {
    elastic_pool pool({.threads_max = 6, .threads_eager = 1, .grow_after = 0us, .idle_max = 0ms}, {});
    std::vector<std::thread> posting;
    for (int t = 0; t < 4; ++t) {
      posting.emplace_back([&] {
        for (int i = 0; i < 300; ++i) {
          pool.post([&] { ++ran; });
          if (i % 16 == 0) std::this_thread::yield();
        }
      });
    }
    for (auto& one : posting) one.join();
  }
  EXPECT_EQ(ran, 1200);
}

}  // namespace
