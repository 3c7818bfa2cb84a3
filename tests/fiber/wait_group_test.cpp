#include <weft/fiber/wait_group.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <thread>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

class wait_group_tasks : public testing::TestWithParam<crew::kind> {};

TEST_P(wait_group_tasks, waits_until_everything_is_done_and_can_be_used_again) {
  weft::run([] {
    weft::wait_group group;
    std::atomic<int> done{0};
    crew all(GetParam());
    group.wait();
    for (int round = 1; round <= 3; ++round) {
      for (int i = 0; i < 5; ++i) {
        group.add();
        all.start([&] {
          ++done;
          group.done();
        });
      }
      group.wait();
      EXPECT_EQ(done, 5 * round);
    }
    EXPECT_EQ(group.count(), 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, wait_group_tasks, kinds_of_crew(), kind_name());

TEST(wait_group, several_may_wait_and_more_may_be_added_meanwhile) {
  weft::run([] {
    weft::wait_group group(1);
    crew all(crew::kind::fibers);
    for (int i = 0; i < 3; ++i) {
      all.start([&] { group.wait(); });
    }
    until_waiting(group, 3);
    group.add(2);
    group.done();
    group.done();
    weft::yield();
    EXPECT_EQ(group.waiting(), 3U);
    group.done();
    all.join();
  });
}

TEST(wait_group, a_wait_that_gives_up_leaves_it_usable) {
  weft::run([] {
    weft::wait_group group(1);
    EXPECT_FALSE(group.wait_until(weft::steady_clock::now()));
    EXPECT_FALSE(group.wait_for(1ms));
    auto waits = weft::go([&] { group.wait(); });
    until_waiting(group, 1);
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_EQ(group.waiting(), 0U);
    group.done();
    EXPECT_TRUE(group.wait_for(1h));
  });
}

TEST(wait_group, may_be_destroyed_by_the_one_that_waited) {
  const int rounds = sanitized ? 300 : 3'000;
  for (int i = 0; i < rounds; ++i) {
    auto group = std::make_unique<weft::wait_group>(1);
    std::thread worker([&all = *group] { all.done(); });
    group->wait();
    group.reset();
    worker.join();
  }
}

TEST(wait_group_death, misuse_ends_the_program) {
  weft::wait_group group;
  EXPECT_DEATH(group.done(), "wait_group::done: thread [0-9]+ called it more often than add");
  group.add();
  EXPECT_DEATH(group.add(std::numeric_limits<std::size_t>::max()),
               "wait_group::add: the count would overflow");
}

}  // namespace
