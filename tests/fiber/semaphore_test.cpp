#include <weft/fiber/semaphore.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

TEST(semaphore, lets_as_many_in_as_it_has_permits) {
  weft::run([] {
    weft::semaphore slots(2);
    int inside = 0;
    int most = 0;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 6; ++i) {
      all.push_back(weft::go([&] {
        slots.acquire();
        most = std::max(most, ++inside);
        weft::yield();
        --inside;
        slots.release();
      }));
    }
    for (auto& one : all) one.join();
    EXPECT_EQ(most, 2);
    EXPECT_EQ(slots.available(), 2U);
    EXPECT_TRUE(slots.try_acquire());
    EXPECT_TRUE(slots.try_acquire_for(1ms));
    EXPECT_FALSE(slots.try_acquire());
    EXPECT_FALSE(slots.try_acquire_for(1ms));
    EXPECT_FALSE(slots.try_acquire_until(std::chrono::system_clock::now() + 1ms));
  });
}

class semaphore_order : public testing::TestWithParam<crew::kind> {};

TEST_P(semaphore_order, serves_in_the_order_of_arrival) {
  weft::run([] {
    weft::semaphore permits(0);
    std::string order;
    std::mutex order_guard;
    crew all(GetParam());
    std::size_t count = 0;
    for (const char c : {'a', 'b', 'c', 'd', 'e'}) {
      all.start([&, c] {
        permits.acquire();
        {
          const std::lock_guard guard(order_guard);
          order += c;
        }
        permits.release();
      });
      until_waiting(permits, ++count);
    }
    permits.release();
    all.join();
    EXPECT_EQ(order, "abcde");
    EXPECT_EQ(permits.available(), 1U);
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, semaphore_order, kinds_of_crew(), kind_name());

TEST(semaphore, who_wants_many_is_not_overtaken_by_who_wants_few) {
  weft::run([] {
    weft::semaphore permits(2);
    auto many = weft::go([&] { permits.acquire(3); });
    until_waiting(permits, 1);
    EXPECT_FALSE(permits.try_acquire());  // there are two, but somebody waits
    auto few = weft::go([&] { permits.acquire(); });
    until_waiting(permits, 2);
    permits.release();
    many.join();
    EXPECT_FALSE(few.done());
    permits.release();
    few.join();
    EXPECT_EQ(permits.available(), 0U);
  });
}

TEST(semaphore, who_wanted_many_and_gives_up_lets_the_others_through) {
  weft::run([] {
    weft::semaphore permits(2);
    auto many = weft::go([&] { permits.acquire(3); });
    until_waiting(permits, 1);
    auto few = weft::go([&] { permits.acquire(2); });
    until_waiting(permits, 2);
    many.cancel();
    EXPECT_THROW(many.join(), weft::cancelled);
    few.join();
    EXPECT_EQ(permits.available(), 0U);
    EXPECT_EQ(permits.waiting(), 0U);
  });
}

TEST(semaphore, acquiring_none_never_waits) {
  weft::semaphore permits(0);
  permits.acquire(0);
  EXPECT_TRUE(permits.try_acquire(0));
}

TEST(semaphore, acquire_is_a_cancellation_point_also_when_there_are_permits) {
  weft::run([] {
    weft::semaphore permits(1);
    auto task = weft::go([&] { permits.acquire(); });
    task.cancel();
    EXPECT_THROW(task.join(), weft::cancelled);
    EXPECT_EQ(permits.available(), 1U);
  });
}

TEST(semaphore, cancelling_at_the_moment_of_the_release_loses_no_permit) {
  const int rounds = sanitized ? 300 : 3'000;
  for (int i = 0; i < rounds; ++i) {
    weft::semaphore permits(0);
    bool had = false;
    std::atomic<bool> go_on{false};
    std::thread releaser;
    weft::run([&] {
      auto waits = weft::go([&] {
        permits.acquire();
        had = true;
      });
      until_waiting(permits, 1);
      releaser = std::thread([&] {
        until([&] { return go_on.load(); });
        permits.release();
      });
      go_on = true;
      waits.cancel();
      try {
        waits.join();
      } catch (const weft::cancelled&) {
      }
    });
    releaser.join();
    ASSERT_EQ(permits.available(), had ? 0U : 1U) << "round " << i;
  }
}

TEST(semaphore, bounds_that_pass_at_the_moment_of_the_release_lose_nothing) {
  const int rounds = sanitized ? 30 : 300;
  weft::semaphore permits(5);
  std::atomic<int> next{0};
  on_fibers_and_threads(100, 4, [&] {
    const std::size_t wants = static_cast<std::size_t>(next++ % 5) + 1;
    for (int i = 0; i < rounds; ++i) {
      if (!permits.try_acquire_for(std::chrono::microseconds(i % 300), wants)) continue;
      if (i % 4 == 0 && weft::this_fiber::in_fiber()) weft::yield();
      permits.release(wants);
    }
  });
  EXPECT_EQ(permits.available(), 5U);
  EXPECT_EQ(permits.waiting(), 0U);
}

TEST(semaphore, bounds_a_thousand_fibers_and_four_threads) {
  const int rounds = sanitized ? 5 : 50;
  weft::semaphore permits(3);
  std::atomic<int> inside{0};
  on_fibers_and_threads(1'000, 4, [&] {
    for (int i = 0; i < rounds; ++i) {
      permits.acquire();
      EXPECT_LE(++inside, 3);
      if (i % 8 == 0 && weft::this_fiber::in_fiber()) weft::yield();
      --inside;
      permits.release();
    }
  });
  EXPECT_EQ(permits.available(), 3U);
}

TEST(semaphore, impossible_numbers_are_misuse) {
  EXPECT_THROW(weft::semaphore(weft::semaphore::max() + 1), weft::error);
  weft::semaphore permits(weft::semaphore::max());
  EXPECT_THROW(permits.acquire(weft::semaphore::max() + 1), weft::error);
  EXPECT_FALSE(weft::semaphore(1).try_acquire(weft::semaphore::max() + 1));
  weft::semaphore none(0);
  const weft::no_wait_scope here("a test");
  EXPECT_THROW(none.acquire(), weft::error);
  EXPECT_EQ(none.waiting(), 0U);
}

TEST(semaphore_death, more_permits_than_can_be_counted_end_the_program) {
  weft::semaphore permits(weft::semaphore::max());
  EXPECT_DEATH(permits.release(),
               "semaphore::release: 1 permits more than the [0-9]+ there are exceed the maximum");
}

}  // namespace
