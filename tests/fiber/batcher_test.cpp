#include <weft/fiber/batcher.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/limited_memory.hpp"

namespace {

using namespace std::chrono_literals;
using doubler = weft::batcher<int, int>;

std::vector<int> twice(std::vector<int> values) {
  for (int& one : values) one *= 2;
  return values;
}

TEST(batcher, hands_on_what_came_together) {
  weft::run([] {
    std::vector<std::size_t> sizes;
    const auto serve = [&](std::vector<int> values) {
      sizes.push_back(values.size());
      return twice(std::move(values));
    };
    doubler all(serve, {.size_max = 4, .wait_max = 1h});
    std::vector<weft::future<int>> results;
    for (int i = 0; i < 8; ++i) results.push_back(all.submit(i));
    for (int i = 0; i < 8; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * 2);
    EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4}));
  });
}

TEST(batcher, does_not_let_one_wait_for_long) {
  weft::run([] {
    doubler all(twice, {.size_max = 100, .wait_max = 1ms});
    EXPECT_EQ(all.call(3), 6);
  });
}

TEST(batcher, its_end_hands_on_what_is_left) {
  weft::run([] {
    weft::future<int> last;
    {
      doubler all(twice, {.wait_max = 1h});
      last = all.submit(4);
    }
    EXPECT_EQ(last.get(), 8);
  });
}

TEST(batcher, an_error_is_that_of_all_in_the_batch_and_the_next_goes_on) {
  weft::run([] {
    const auto serve = [](std::vector<int> values) {
      if (values.front() == 0) throw std::runtime_error("lost");
      if (values.front() == 1) values.clear();
      return values;
    };
    doubler all(serve, {.size_max = 1});
    EXPECT_THROW(all.call(0), std::runtime_error);
    EXPECT_THROW(all.call(1), weft::error);
    EXPECT_EQ(all.call(2), 2);
  });
}

TEST(batcher, of_a_run_that_ends_tells_those_who_wait) {
  weft::future<int> collected, queued;
  const int status = weft::run([&] {
    weft::event began;
    weft::promise<void> never;
    const auto held = never.get_future();
    const auto serve = [&](std::vector<int> values) {
      began.set();
      held.wait();
      return values;
    };
    doubler all(serve, {.size_max = 1});
    collected = all.submit(1);
    queued = all.submit(2);
    began.wait();
    auto ends = weft::go([] { weft::exit(7); });
    queued.wait();  // is cancelled, and ends the batcher
  });
  EXPECT_EQ(status, 7);
  EXPECT_THROW(collected.get(), weft::cancelled);
  EXPECT_THROW(queued.get(), weft::cancelled);
}

TEST(batcher, of_a_run_that_ends_before_it_began_refuses) {
  weft::future<int> queued;
  weft::run([&] {
    weft::shield([&] {
      auto ends = weft::go([] { weft::exit(0); });
      EXPECT_THROW(ends.join(), weft::exit_exception);
      doubler all(twice, {.wait_max = 1h});
      queued = all.submit(1);
    });
  });
  EXPECT_THROW(queued.get(), weft::cancelled);
}

TEST(batcher, a_batch_that_is_being_collected_is_cancelled_with_the_run) {
  weft::future<int> collected;
  weft::run([&] {
    doubler all(twice, {.wait_max = 1h});
    collected = all.submit(1);
    weft::yield();
    auto ends = weft::go([] { weft::exit(0); });
    weft::sleep_for(1h);
  });
  EXPECT_THROW(collected.get(), weft::cancelled);
}

TEST(batcher, a_lack_of_memory_is_the_error_of_one_batch) {
  weft::run([] {
    doubler all(twice, {.size_max = 1});
    EXPECT_EQ(all.call(1), 2);
    auto fails = all.submit(2);
    weft::testing::allocations_left = 0;
    fails.wait();
    weft::testing::allocations_left = -1;
    EXPECT_THROW(fails.get(), std::bad_alloc);
    EXPECT_EQ(all.call(3), 6);
  });
}

}  // namespace
