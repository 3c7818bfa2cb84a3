#include <weft/fiber/condition.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include <weft/core/error.hpp>

#include "fiber/lock_helpers.hpp"
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
        EXPECT_TRUE(lock.owned_by_caller());
        --level;
      }));
    }
    until_waiting(changed, 3);
    {
      const std::lock_guard held(lock);
      level = 1;
    }
    changed.notify_one();
    for (int i = 0; i < 3; ++i) weft::yield();
    EXPECT_EQ(changed.waiting(), 2U);
    {
      const std::lock_guard held(lock);
      EXPECT_EQ(level, 0);
      level = 2;
    }
    changed.notify_all();
    for (auto& one : all) one.join();
  });
}

class condition_order : public testing::TestWithParam<crew::kind> {};

TEST_P(condition_order, notify_one_wakes_in_the_order_of_arrival) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    std::string order;  // guarded by lock
    crew all(GetParam());
    std::size_t count = 0;
    for (const char c : {'a', 'b', 'c', 'd'}) {
      all.start([&, c] {
        std::unique_lock held(lock);
        changed.wait(held);
        order += c;
      });
      until_waiting(changed, ++count);
    }
    for (std::size_t i = 1; i <= 4; ++i) {
      changed.notify_one();
      until([&] {
        const std::lock_guard held(lock);
        return order.size() == i;
      });
    }
    all.join();
    EXPECT_EQ(order, "abcd");
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, condition_order, kinds_of_crew(), kind_name());

TEST(condition, a_notify_without_anybody_is_forgotten) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    changed.notify_one();
    changed.notify_all();
    std::unique_lock held(lock);
    EXPECT_FALSE(changed.wait_for(held, 1ms));
    EXPECT_TRUE(held.owns_lock());
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
        EXPECT_TRUE(lock.owned_by_caller());
        throw;
      }
    });
    until_waiting(never, 1);
    std::unique_lock held(lock);
    waits.cancel();
    for (int i = 0; i < 3; ++i) weft::yield();
    EXPECT_FALSE(waits.done());  // it waits for the lock, whatever cancels it
    held.unlock();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_EQ(never.waiting(), 0U);
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  });
}

TEST(condition, every_wait_is_a_cancellation_point_also_when_the_predicate_holds) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    auto waits = weft::go([&] {
      std::unique_lock held(lock);
      changed.wait(held, [] { return true; });
    });
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
  });
}

TEST(condition, a_notify_that_reached_a_task_is_not_lost_to_a_cancellation) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    bool returned = false;
    auto waits = weft::go([&] {
      std::unique_lock held(lock);
      changed.wait(held);
      returned = true;
      weft::yield();  // here it is thrown
      ADD_FAILURE() << "not cancelled";
    });
    until_waiting(changed, 1);
    changed.notify_one();
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_TRUE(returned);
  });
}

TEST(condition, timed_waits_give_up_at_their_bound_with_the_lock) {
  weft::run([] {
    weft::mutex lock;
    weft::condition never;
    std::unique_lock held(lock);
    EXPECT_FALSE(never.wait_for(held, 2ms));
    EXPECT_FALSE(never.wait_for(held, 2ms, [] { return false; }));
    EXPECT_TRUE(never.wait_for(held, 0ms, [] { return true; }));
    EXPECT_FALSE(never.wait_until(held, weft::steady_clock::now() + 1ms));
    EXPECT_FALSE(never.wait_until(held, std::chrono::system_clock::now() + 1ms));
    EXPECT_FALSE(never.wait_until(held, std::chrono::system_clock::now() + 1ms, [] { return false; }));
    EXPECT_TRUE(lock.owned_by_caller());
  });
}

TEST(condition, timed_waits_end_with_a_notify) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    bool ready = false;
    auto plain = weft::go([&] {
      std::unique_lock held(lock);
      EXPECT_TRUE(changed.wait_for(held, 1h));
    });
    auto predicate = weft::go([&] {
      std::unique_lock held(lock);
      EXPECT_TRUE(changed.wait_until(held, std::chrono::system_clock::now() + 1h, [&] { return ready; }));
    });
    until_waiting(changed, 2);
    ready = true;
    changed.notify_all();
    plain.join();
    predicate.join();
  });
}

TEST(condition, a_lock_that_does_not_hold_its_mutex_is_misuse) {
  weft::run([] {
    weft::mutex lock;
    weft::condition changed;
    std::unique_lock held(lock, std::defer_lock);
    EXPECT_THROW(changed.wait(held), weft::error);
    held.lock();
    const weft::no_wait_scope here("a test");
    EXPECT_THROW(changed.wait(held), weft::error);
    EXPECT_TRUE(lock.owned_by_caller());
  });
}

TEST(condition, carries_a_queue_between_fibers_and_threads) {
  const int each = sanitized ? 20 : 200;
  constexpr std::size_t room = 4;
  weft::mutex lock;
  weft::condition not_empty;
  weft::condition not_full;
  std::deque<int> queue;  // guarded by lock
  long sum = 0;           // guarded by lock
  std::atomic<int> next{0};
  on_fibers_and_threads(100, 4, [&] {
    const bool produces = next++ % 2 == 0;
    for (int i = 1; i <= each; ++i) {
      std::unique_lock held(lock);
      if (produces) {
        not_full.wait(held, [&] { return queue.size() < room; });
        queue.push_back(i);
        not_empty.notify_one();
      } else {
        not_empty.wait(held, [&] { return !queue.empty(); });
        sum += queue.front();
        queue.pop_front();
        not_full.notify_one();
      }
    }
  });
  EXPECT_EQ(sum, 52L * each * (each + 1) / 2);
}

}  // namespace
