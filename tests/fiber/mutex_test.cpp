#include <weft/fiber/mutex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

bool is_free(weft::mutex& lock) {
  if (!lock.try_lock()) return false;
  lock.unlock();
  return true;
}

TEST(mutex, lets_one_in_also_across_a_wait) {
  weft::run([] {
    weft::mutex lock;
    int inside = 0;
    std::vector<weft::fiber<void>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(weft::go([&] {
        const std::lock_guard held(lock);
        EXPECT_EQ(++inside, 1);
        weft::yield();
        --inside;
      }));
    }
    for (auto& one : all) one.join();
  });
}

TEST(mutex, is_handed_on_in_the_order_of_arrival) {
  weft::run([] {
    weft::mutex lock;
    std::string order;
    std::unique_lock held(lock);
    std::vector<weft::fiber<void>> all;
    for (const char c : {'a', 'b', 'c'}) {
      all.push_back(weft::go([&lock, &order, c] {
        const std::lock_guard mine(lock);
        order += c;
      }));
    }
    weft::yield();
    held.unlock();
    EXPECT_FALSE(lock.try_lock());  // it belongs to the first in line already
    for (auto& one : all) one.join();
    EXPECT_EQ(order, "abc");
  });
}

class mutex_order : public testing::TestWithParam<crew::kind> {};

TEST_P(mutex_order, serves_in_the_order_of_arrival) {
  weft::run([] {
    weft::mutex lock;
    std::string order;  // guarded by lock
    std::unique_lock held(lock);
    crew all(GetParam());
    std::size_t count = 0;
    for (const char c : {'a', 'b', 'c', 'd', 'e', 'f'}) {
      all.start([&lock, &order, c] {
        const std::lock_guard mine(lock);
        order += c;
      });
      until_waiting(lock, ++count);
    }
    held.unlock();
    all.join();
    EXPECT_EQ(order, "abcdef");
    EXPECT_EQ(lock.waiting(), 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, mutex_order, kinds_of_crew(), kind_name());

TEST(mutex, lock_is_no_cancellation_point_and_try_lock_for_is) {
  weft::run([] {
    weft::mutex lock;
    std::unique_lock held(lock);
    bool locked = false;
    auto waits = weft::go([&] {
      const std::lock_guard mine(lock);
      locked = true;
    });
    auto bounded = weft::go([&] { return lock.try_lock_for(1h); });
    weft::yield();
    waits.cancel();
    bounded.cancel();
    EXPECT_THROW(bounded.join(), weft::cancelled);
    held.unlock();
    waits.join();
    EXPECT_TRUE(locked);
    EXPECT_TRUE(lock.try_lock_for(1ms));
    EXPECT_FALSE(lock.try_lock_for(1ms));
    lock.unlock();
  });
}

TEST(mutex, a_cancelled_task_does_not_take_a_free_one_with_a_bound) {
  weft::run([] {
    weft::mutex lock;
    auto task = weft::go([&] { return lock.try_lock_for(1h); });
    task.cancel();
    EXPECT_THROW(task.join(), weft::cancelled);
    EXPECT_TRUE(is_free(lock));
  });
}

TEST(mutex, works_with_the_guards_of_std) {
  weft::run([] {
    weft::mutex one;
    weft::mutex other;
    {
      const std::scoped_lock both(one, other);
      EXPECT_TRUE(one.owned_by_caller());
      EXPECT_TRUE(other.owned_by_caller());
    }
    {
      const std::unique_lock timed(one, 1s);
      EXPECT_TRUE(timed.owns_lock());
    }
    {
      const std::unique_lock timed(one, std::chrono::system_clock::now() + 1h);
      EXPECT_TRUE(timed.owns_lock());
      auto other_task = weft::go([&] {
        EXPECT_FALSE(std::unique_lock(one, std::chrono::system_clock::now() + 1ms).owns_lock());
        EXPECT_FALSE(std::unique_lock(one, weft::steady_clock::now() - 1s).owns_lock());
        EXPECT_FALSE(std::unique_lock(one, std::try_to_lock).owns_lock());
        EXPECT_FALSE(one.owned_by_caller());
      });
      other_task.join();
    }
    EXPECT_FALSE(one.owned_by_caller());
  });
}

TEST(mutex, who_gives_up_leaves_the_line_to_the_others) {
  weft::run([] {
    weft::mutex lock;
    std::unique_lock held(lock);
    auto gives_up = weft::go([&] { return lock.try_lock_for(1ms); });
    until_waiting(lock, 1);
    auto stays = weft::go([&] { const std::lock_guard mine(lock); });
    until_waiting(lock, 2);
    EXPECT_FALSE(gives_up.join());
    EXPECT_EQ(lock.waiting(), 1U);
    held.unlock();
    stays.join();
    EXPECT_TRUE(is_free(lock));
  });
}

TEST(mutex, excludes_fibers_and_threads_alike) {
  const int rounds = sanitized ? 1'000 : 20'000;
  weft::mutex lock;
  long counter = 0;  // guarded by lock
  on_fibers_and_threads(2, 1, [&] {
    for (int i = 0; i < rounds; ++i) {
      const std::lock_guard held(lock);
      ++counter;
    }
  });
  EXPECT_EQ(counter, 3L * rounds);
}

TEST(mutex, excludes_a_thousand_fibers_and_four_threads) {
  const int rounds = sanitized ? 5 : 50;
  weft::mutex lock;
  long counter = 0;  // guarded by lock
  int inside = 0;    // guarded by lock
  on_fibers_and_threads(1'000, 4, [&] {
    for (int i = 0; i < rounds; ++i) {
      const std::lock_guard held(lock);
      EXPECT_EQ(++inside, 1);
      if (i % 8 == 0 && weft::this_fiber::in_fiber()) weft::yield();
      ++counter;
      --inside;
    }
  });
  EXPECT_EQ(counter, 1'004L * rounds);
  EXPECT_TRUE(is_free(lock));
}

TEST(mutex, excludes_fibers_of_several_threads) {
  const int rounds = sanitized ? 300 : 5'000;
  weft::mutex lock;
  long counter = 0;  // guarded by lock
  on_loops(3, 60, [&] {
    for (int i = 0; i < rounds; ++i) {
      const std::lock_guard held(lock);
      if (i % 64 == 0) weft::yield();
      ++counter;
    }
  });
  EXPECT_EQ(counter, 60L * rounds);
}

TEST(mutex, a_task_that_takes_it_again_and_again_does_not_starve_the_others) {
  weft::mutex lock;
  std::atomic<bool> over{false};
  std::thread hammers([&] {
    while (!over) const std::lock_guard held(lock);
  });
  weft::run([&] {
    for (int i = 0; i < 100; ++i) const std::lock_guard held(lock);
  });
  over = true;
  hammers.join();
}

TEST(mutex, a_fiber_whose_thread_is_busy_is_overtaken_but_not_for_ever) {
  weft::mutex lock;
  std::atomic<bool> has_it{false};
  std::atomic<bool> busy{false};
  std::atomic<bool> refused{false};
  int overtaken = 0;
  std::thread other([&] {
    lock.lock();
    has_it = true;
    until([&] { return busy.load(); });
    lock.unlock();
    for (; lock.try_lock_for(20ms); ++overtaken) lock.unlock();
    refused = true;
  });
  weft::run([&] {
    until([&] { return has_it.load(); });
    auto waits = weft::go([&] { const std::lock_guard mine(lock); });
    until_waiting(lock, 1);
    busy = true;
    while (!refused) std::this_thread::yield();  // the fiber that waits cannot come
    waits.join();
  });
  other.join();
  EXPECT_EQ(overtaken, 128);
}

TEST(mutex, cancelling_at_the_moment_of_the_hand_over_loses_nothing) {
  const int rounds = sanitized ? 300 : 3'000;
  weft::mutex lock;
  for (int i = 0; i < rounds; ++i) {
    std::atomic<weft::fiber<bool>*> target{nullptr};
    std::thread canceller([&] {
      until([&] { return target.load() != nullptr; });
      target.load()->cancel();
    });
    weft::run([&] {
      std::unique_lock held(lock);
      auto waits = weft::go([&] {
        if (!lock.try_lock_for(1h)) return false;
        lock.unlock();
        return true;
      });
      until_waiting(lock, 1);
      target = &waits;
      held.unlock();
      canceller.join();
      try {
        EXPECT_TRUE(waits.join());
      } catch (const weft::cancelled&) {
      }
    });
    ASSERT_TRUE(is_free(lock)) << "round " << i;
    ASSERT_EQ(lock.waiting(), 0U);
  }
}

TEST(mutex, bounds_that_pass_at_the_moment_of_the_hand_over_lose_nothing) {
  const int rounds = sanitized ? 30 : 300;
  weft::mutex lock;
  std::atomic<long> taken{0};
  long counter = 0;  // guarded by lock
  on_fibers_and_threads(20, 3, [&] {
    for (int i = 0; i < rounds; ++i) {
      if (!lock.try_lock_for(std::chrono::microseconds(i % 300))) continue;
      const std::lock_guard held(lock, std::adopt_lock);
      ++taken;
      ++counter;
      if (i % 4 == 0 && weft::this_fiber::in_fiber()) weft::yield();
    }
  });
  EXPECT_EQ(counter, taken);
  EXPECT_TRUE(is_free(lock));
  EXPECT_EQ(lock.waiting(), 0U);
}

TEST(mutex, may_be_destroyed_by_the_next_owner) {
  struct shared_thing {
    weft::mutex lock;
    int users = 2;  // guarded by lock
  };
  const int rounds = sanitized ? 500 : 5'000;
  for (int i = 0; i < rounds; ++i) {
    auto* const thing = new shared_thing;
    const auto leave = [thing] {
      thing->lock.lock();
      const bool last = --thing->users == 0;
      thing->lock.unlock();
      if (last) delete thing;
    };
    std::thread other(leave);
    leave();
    other.join();
  }
}

TEST(mutex, a_wait_where_it_is_forbidden_leaves_it_as_it_was) {
  weft::run([] {
    weft::mutex lock;
    std::unique_lock held(lock);
    auto task = weft::go([&] {
      const weft::no_wait_scope here("a test");
      lock.lock();
    });
    EXPECT_THROW(task.join(), weft::error);
    EXPECT_EQ(lock.waiting(), 0U);
    held.unlock();
    const weft::no_wait_scope here("a test");
    lock.lock();  // need not wait
    lock.unlock();
  });
}

TEST(mutex_death, unlocking_one_that_nobody_holds_says_so) {
  weft::mutex lock;
  EXPECT_DEATH(lock.unlock(), "mutex::unlock: thread [0-9]+ unlocks a mutex that nobody holds");
}

TEST(mutex_death, unlocking_the_mutex_of_another_task_names_both) {
  const auto breach = [] {
    weft::run([] {
      weft::mutex lock;
      auto owner = weft::go_now(
          [&] {
            const std::lock_guard held(lock);
            weft::sleep_for(1h);
          },
          {.name = "the owner"});
      weft::go([&] { lock.unlock(); }, {.name = "a stranger"}).join();
    });
  };
  EXPECT_DEATH(breach(), "fiber [0-9]+ \"a stranger\" unlocks a mutex that fiber [0-9]+ \"the owner\" holds");
}

TEST(mutex_death, an_owner_that_has_ended_is_named_too) {
  const auto breach = [] {
    weft::run([] {
      weft::mutex lock;
      weft::go([&] { lock.lock(); }, {.name = "forgetful"}).join();
      lock.unlock();
    });
  };
  EXPECT_DEATH(breach(), "unlocks a mutex that fiber [0-9]+ \"forgetful\", which has ended, holds");
}

TEST(mutex_death, locking_it_again_says_so_and_does_not_hang) {
  const auto breach = [] {
    weft::mutex lock;
    weft::run([&] {
      weft::go(
          [&] {
            const std::lock_guard held(lock);
            lock.lock();
          },
          {.name = "twice"})
          .join();
    });
  };
  EXPECT_DEATH(breach(),
               "mutex::lock: fiber [0-9]+ \"twice\" waits for a mutex that fiber [0-9]+ \"twice\" holds");
}

}  // namespace
