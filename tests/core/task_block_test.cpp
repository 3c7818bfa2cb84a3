#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>

namespace weft::detail {
namespace {

using namespace std::chrono_literals;

TEST(task_block, of_a_thread_is_one_and_the_same_and_is_no_fiber) {
  task_block& mine = task_block::current();
  EXPECT_EQ(&mine, &task_block::current());
  EXPECT_EQ(&mine, task_block::current_or_null());
  EXPECT_FALSE(mine.is_fiber());
  EXPECT_EQ(mine.name(), "thread");
  EXPECT_EQ(mine.context, nullptr);
}

TEST(task_block, a_thread_has_none_before_it_asks_for_one) {
  std::thread([] {
    EXPECT_EQ(task_block::current_or_null(), nullptr);
    task_block::current();
    EXPECT_NE(task_block::current_or_null(), nullptr);
  }).join();
}

TEST(task_block, is_the_same_again_after_another_task_ran_on_the_thread) {
  task_block& mine = task_block::current();
  running_task = nullptr;
  EXPECT_EQ(&task_block::current(), &mine);
}

TEST(task_block, ids_are_never_given_twice) {
  std::set<std::uint64_t> seen{task_block::current().id()};
  for (int n = 0; n < 10; ++n) {
    std::thread([&] { EXPECT_TRUE(seen.insert(task_block::current().id()).second); }).join();
  }
}

TEST(task_block, a_permit_given_before_the_park_is_not_lost_and_two_are_one) {
  task_block& mine = task_block::current();
  mine.unpark();
  mine.unpark();
  EXPECT_TRUE(mine.park_until(no_deadline));
  EXPECT_FALSE(mine.park_until(steady_clock::now() + 1ms));
}

TEST(task_block, a_park_ends_by_its_bound_and_not_before) {
  const auto until = steady_clock::now() + 5ms;
  EXPECT_FALSE(task_block::current().park_until(until));
  EXPECT_GE(steady_clock::now(), until);
}

TEST(task_block, unpark_from_another_thread_wakes_and_publishes_what_was_written_before) {
  task_block& mine = task_block::current();
  for (int n = 0; n < 200; ++n) {
    int handed_over = 0;
    std::thread waker([&] {
      handed_over = n;
      mine.unpark();
    });
    EXPECT_TRUE(mine.park_until(no_deadline));
    EXPECT_EQ(handed_over, n);
    waker.join();
  }
}

struct asks_at_its_end {
  std::uint64_t* id;
  ~asks_at_its_end() {
    task_block& mine = task_block::current();
    *id = mine.id();
    mine.unpark();
    mine.park_until(no_deadline);
  }
};

TEST(task_block, is_there_while_thread_local_objects_end) {
  std::uint64_t id_then = 0;
  std::uint64_t id_before = 0;
  std::thread([&] {
    thread_local std::unique_ptr<asks_at_its_end> late;  // made before the block is, so it ends after it
    late.reset(new asks_at_its_end{&id_then});
    id_before = task_block::current().id();
  }).join();
  EXPECT_EQ(id_then, id_before);
}

TEST(task_block, of_the_main_thread_is_there_while_static_objects_end) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        task_block::current();
        std::atexit([] {
          task_block::current().unpark();
          if (task_block::current().park_until(no_deadline)) _Exit(7);
        });
        std::exit(1);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST(spin_lock, lets_one_in_at_a_time) {
  spin_lock lock;
  int guarded = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < 4; ++t) {
    all.emplace_back([&] {
      for (int n = 0; n < 20'000; ++n) {
        const std::lock_guard held(lock);
        ++guarded;
      }
    });
  }
  for (auto& each : all) each.join();
  EXPECT_EQ(guarded, 80'000);
}

}  // namespace
}  // namespace weft::detail
