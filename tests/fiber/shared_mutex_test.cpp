#include <weft/fiber/shared_mutex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include <weft/core/error.hpp>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

bool is_free(weft::shared_mutex& lock) {
  if (!lock.try_lock()) return false;
  lock.unlock();
  return true;
}

TEST(shared_mutex, lets_readers_in_together_and_writers_alone) {
  weft::run([] {
    weft::shared_mutex lock;
    std::shared_lock first(lock);
    EXPECT_TRUE(lock.try_lock_shared());
    EXPECT_EQ(lock.readers(), 2U);
    EXPECT_FALSE(lock.try_lock());
    lock.unlock_shared();
    first.unlock();
    const std::unique_lock writer(lock);
    EXPECT_TRUE(lock.owned_by_caller());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_shared());
    EXPECT_EQ(lock.readers(), 0U);
  });
}

class shared_mutex_order : public testing::TestWithParam<crew::kind> {};

TEST_P(shared_mutex_order, serves_in_order_and_readers_next_to_each_other_together) {
  weft::run([] {
    weft::shared_mutex lock;
    std::mutex order_guard;
    std::string order;  // guarded by order_guard
    const auto note = [&](char c) {
      const std::lock_guard guard(order_guard);
      order += c;
    };
    std::unique_lock held(lock);
    crew all(GetParam());
    std::size_t count = 0;
    for (const char c : {'r', 'r', 'w', 'r', 'w', 'w', 'r', 'r'}) {
      all.start([&, c] {
        if (c == 'w') {
          const std::lock_guard mine(lock);
          note('w');
        } else {
          const std::shared_lock mine(lock);
          note('r');
        }
      });
      until_waiting(lock, ++count);
    }
    held.unlock();
    all.join();
    EXPECT_EQ(order, "rrwrwwrr");
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, shared_mutex_order, kinds_of_crew(), kind_name());

TEST(shared_mutex, readers_that_are_admitted_together_are_inside_together) {
  weft::run([] {
    weft::shared_mutex lock;
    int inside = 0;
    int most = 0;
    std::unique_lock held(lock);
    crew all(crew::kind::fibers);
    for (int i = 0; i < 5; ++i) {
      all.start([&] {
        const std::shared_lock mine(lock);
        most = std::max(most, ++inside);
        for (int turn = 0; turn < 3; ++turn) weft::yield();
        --inside;
      });
    }
    until_waiting(lock, 5);
    held.unlock();
    all.join();
    EXPECT_EQ(most, 5);
  });
}

TEST(shared_mutex, a_writer_that_waits_is_not_starved_by_readers_that_come) {
  weft::run([] {
    weft::shared_mutex lock;
    std::shared_lock first(lock);
    auto writer = weft::go([&] { const std::lock_guard mine(lock); });
    until_waiting(lock, 1);
    EXPECT_FALSE(lock.try_lock_shared());
    auto late = weft::go([&] {
      const std::shared_lock mine(lock);
      EXPECT_TRUE(writer.done());
    });
    until_waiting(lock, 2);
    first.unlock();
    late.join();
    writer.join();
  });
}

TEST(shared_mutex, readers_behind_a_writer_that_gives_up_join_those_inside) {
  weft::run([] {
    weft::shared_mutex lock;
    const std::shared_lock first(lock);
    auto writer = weft::go([&] { return lock.try_lock_for(1h); });
    until_waiting(lock, 1);
    auto reader = weft::go([&] {
      const std::shared_lock mine(lock);
      EXPECT_EQ(lock.readers(), 2U);
    });
    until_waiting(lock, 2);
    writer.cancel();
    EXPECT_THROW(writer.join(), weft::cancelled);
    reader.join();
    EXPECT_EQ(lock.waiting(), 0U);
    EXPECT_TRUE(lock.try_lock_shared());
    lock.unlock_shared();
  });
}

TEST(shared_mutex, lock_and_lock_shared_are_no_cancellation_points_and_the_timed_forms_are) {
  weft::run([] {
    weft::shared_mutex lock;
    std::unique_lock held(lock);
    auto writes = weft::go([&] { const std::lock_guard mine(lock); });
    auto reads = weft::go([&] { const std::shared_lock mine(lock); });
    auto writes_bounded = weft::go([&] { return lock.try_lock_for(1h); });
    auto reads_bounded = weft::go([&] { return lock.try_lock_shared_for(1h); });
    until_waiting(lock, 4);
    writes.cancel();
    reads.cancel();
    writes_bounded.cancel();
    reads_bounded.cancel();
    EXPECT_THROW(writes_bounded.join(), weft::cancelled);
    EXPECT_THROW(reads_bounded.join(), weft::cancelled);
    held.unlock();
    writes.join();
    reads.join();
    EXPECT_TRUE(is_free(lock));
  });
}

TEST(shared_mutex, gives_up_at_its_bound) {
  weft::run([] {
    weft::shared_mutex lock;
    std::unique_lock held(lock);
    auto other = weft::go([&] {
      EXPECT_FALSE(std::unique_lock(lock, 1ms).owns_lock());
      EXPECT_FALSE(std::shared_lock(lock, 1ms).owns_lock());
      EXPECT_FALSE(std::shared_lock(lock, std::chrono::system_clock::now() + 1ms).owns_lock());
      EXPECT_FALSE(lock.try_lock_until(weft::steady_clock::now()));
    });
    other.join();
    held.unlock();
    EXPECT_TRUE(std::unique_lock(lock, 1h).owns_lock());
    EXPECT_TRUE(std::shared_lock(lock, 1h).owns_lock());
    EXPECT_TRUE(is_free(lock));
  });
}

TEST(shared_mutex, holds_its_promise_to_a_thousand_fibers_and_four_threads) {
  const int rounds = sanitized ? 5 : 40;
  weft::shared_mutex lock;
  long written = 0;  // guarded by lock
  std::atomic<int> readers{0};
  std::atomic<long> gave_up{0};
  std::atomic<int> next{0};
  on_fibers_and_threads(1'000, 4, [&] {
    const int self = next++;
    for (int i = 0; i < rounds; ++i) {
      if ((self + i) % 4 == 0) {
        if (i % 2 == 0 ? (lock.lock(), true) : lock.try_lock_for(std::chrono::microseconds(50 * i))) {
          EXPECT_EQ(readers, 0);
          ++written;
          if (weft::this_fiber::in_fiber() && i % 8 == 0) weft::yield();
          lock.unlock();
        } else {
          ++gave_up;
        }
      } else {
        const std::shared_lock held(lock);
        ++readers;
        if (weft::this_fiber::in_fiber() && i % 8 == 0) weft::yield();
        --readers;
      }
    }
  });
  EXPECT_EQ(written + gave_up, 1'004L * rounds / 4);
  EXPECT_EQ(lock.waiting(), 0U);
  EXPECT_TRUE(is_free(lock));
}

TEST(shared_mutex, a_wait_where_it_is_forbidden_leaves_it_as_it_was) {
  weft::run([] {
    weft::shared_mutex lock;
    std::unique_lock held(lock);
    auto task = weft::go([&] {
      const weft::no_wait_scope here("a test");
      EXPECT_THROW(lock.lock(), weft::error);
      EXPECT_THROW(lock.lock_shared(), weft::error);
    });
    task.join();
    EXPECT_EQ(lock.waiting(), 0U);
    held.unlock();
    EXPECT_TRUE(is_free(lock));
  });
}

TEST(shared_mutex_death, misuse_names_the_tasks) {
  weft::shared_mutex lock;
  EXPECT_DEATH(lock.unlock(), "shared_mutex::unlock: thread [0-9]+ unlocks a shared_mutex that nobody holds");
  EXPECT_DEATH(lock.unlock_shared(), "unlocks a shared_mutex that no reader holds");
  lock.lock_shared();
  EXPECT_DEATH(lock.unlock(), "that 1 readers hold; they call unlock_shared");
  lock.unlock_shared();
  lock.lock();
  EXPECT_DEATH(lock.unlock_shared(), "no reader holds");
  EXPECT_DEATH(lock.lock_shared(),
               "shared_mutex::lock_shared: thread [0-9]+ waits for a shared_mutex that thread");
  EXPECT_DEATH(weft::run([&] { lock.unlock(); }),
               "fiber [0-9]+ \"main\" unlocks a shared_mutex that thread [0-9]+ holds");
  lock.unlock();
}

}  // namespace
