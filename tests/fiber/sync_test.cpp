#include <weft/fiber/sync.hpp>

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

TEST(condition, wakes_one_or_all_and_has_the_lock_again) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    int level = 0;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(weft::go([&] {
        std::unique_lock held(lock);
        changed.wait(held, [&] { return level > 0; });
        EXPECT_TRUE(held.owns_lock());
        --level;
      }));
    }
    weft::yield();
    {
      const std::lock_guard held(lock);
      level = 1;
    }
    changed.notify_one();
    for (int i = 0; i < 3; ++i) weft::yield();
    {
      const std::lock_guard held(lock);
      EXPECT_EQ(level, 0);
      level = 2;
    }
    changed.notify_all();
    for (auto& one : all) one.join();
  });
}

TEST(condition, a_cancelled_wait_has_the_lock_again_when_it_throws) {
  weft::run([] {
    weft::mutex lock;
    weft::condition never;
    auto waits = weft::go([&] {
      std::unique_lock held(lock);
      try {
        never.wait(held);
      } catch (const weft::cancelled&) {
        EXPECT_TRUE(held.owns_lock());
        throw;
      }
    });
    weft::yield();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  });
}

TEST(condition, wait_for_gives_up_at_its_bound) {
  weft::run([] {
    weft::mutex lock;
    weft::condition never;
    std::unique_lock held(lock);
    EXPECT_FALSE(never.wait_for(held, 2ms, [] { return false; }));
    EXPECT_TRUE(held.owns_lock());
  });
}

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
    EXPECT_TRUE(slots.try_acquire());
    EXPECT_TRUE(slots.try_acquire_for(1ms));
    EXPECT_FALSE(slots.try_acquire());
    EXPECT_FALSE(slots.try_acquire_for(1ms));
  });
}

TEST(event, wakes_all_and_stays_set) {
  weft::run([] {
    weft::event ready;
    int woken = 0;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(weft::go([&] {
        ready.wait();
        ++woken;
      }));
    }
    weft::yield();
    EXPECT_EQ(woken, 0);
    ready.set();
    for (auto& one : all) one.join();
    EXPECT_EQ(woken, 3);
    ready.wait();
    ready.reset();
    EXPECT_FALSE(ready.wait_for(1ms));
  });
}

TEST(event, set_by_a_thread_wakes_a_sleeping_run) {
  for (int i = 0; i < 200; ++i) {
    weft::event ready;
    std::thread setter;
    weft::run([&] {
      setter = std::thread([&] { ready.set(); });
      ready.wait();
    });
    setter.join();
  }
}

TEST(wait_group, waits_until_everything_is_done) {
  weft::run([] {
    weft::wait_group group;
    int done = 0;
    group.wait();
    for (int i = 0; i < 5; ++i) {
      group.add();
      weft::go([&] {
        weft::yield();
        ++done;
        group.done();
      });
    }
    EXPECT_FALSE(group.wait_until(weft::steady_clock::now()));
    group.wait();
    EXPECT_EQ(done, 5);
    EXPECT_EQ(group.count(), 0U);
  });
}

}  // namespace
