#include <weft/fiber/recursive_mutex.hpp>

#include <gtest/gtest.h>

#include <mutex>

#include "fiber/lock_helpers.hpp"

namespace {

using namespace std::chrono_literals;

TEST(recursive_mutex, is_free_after_as_many_unlocks_as_locks) {
  weft::run([] {
    weft::recursive_mutex lock;
    lock.lock();
    EXPECT_TRUE(lock.try_lock());
    EXPECT_TRUE(lock.try_lock_for(1h));
    EXPECT_TRUE(lock.try_lock_until(std::chrono::system_clock::now()));
    auto other = weft::go([&] {
      const std::lock_guard mine(lock);
      EXPECT_TRUE(lock.owned_by_caller());
    });
    until_waiting(lock, 1);
    for (int i = 0; i < 3; ++i) {
      lock.unlock();
      weft::yield();
      EXPECT_FALSE(other.done());
    }
    lock.unlock();
    EXPECT_FALSE(lock.owned_by_caller());
    other.join();
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  });
}

TEST(recursive_mutex, is_refused_to_others_and_a_bounded_wait_is_a_cancellation_point) {
  weft::run([] {
    weft::recursive_mutex lock;
    const std::lock_guard held(lock);
    auto other = weft::go([&] {
      EXPECT_FALSE(lock.try_lock());
      EXPECT_FALSE(lock.try_lock_for(1ms));
      lock.try_lock_for(1h);
    });
    until_waiting(lock, 1);
    other.cancel();
    EXPECT_THROW(other.join(), weft::cancelled);
    EXPECT_EQ(lock.waiting(), 0U);
  });
}

TEST(recursive_mutex, excludes_fibers_and_threads) {
  weft::recursive_mutex lock;
  long counter = 0;  // guarded by lock
  on_fibers_and_threads(20, 3, [&] {
    for (int i = 0; i < 200; ++i) {
      const std::lock_guard outer(lock);
      const std::lock_guard inner(lock);
      ++counter;
    }
  });
  EXPECT_EQ(counter, 23L * 200);
}

TEST(recursive_mutex_death, only_its_owner_unlocks_it) {
  weft::recursive_mutex lock;
  EXPECT_DEATH(lock.unlock(), "that nobody holds");
  lock.lock();
  lock.lock();
  EXPECT_DEATH(weft::run([&] { lock.unlock(); }),
               "fiber [0-9]+ \"main\" unlocks a mutex that thread [0-9]+ holds");
  lock.unlock();
  lock.unlock();
}

}  // namespace
