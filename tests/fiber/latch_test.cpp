#include <weft/fiber/latch.hpp>

#include <gtest/gtest.h>

#include <atomic>

#include "fiber/lock_helpers.hpp"

namespace {

using namespace std::chrono_literals;

class latch_tasks : public testing::TestWithParam<crew::kind> {};

TEST_P(latch_tasks, nobody_goes_on_before_all_have_arrived) {
  weft::run([] {
    weft::latch open(6);
    std::atomic<int> arrived{0};
    crew all(GetParam());
    for (int i = 0; i < 6; ++i) {
      all.start([&] {
        ++arrived;
        open.arrive_and_wait();
        EXPECT_EQ(arrived, 6);
      });
    }
    all.join();
    EXPECT_TRUE(open.try_wait());
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, latch_tasks, kinds_of_crew(), kind_name());

TEST(latch, of_nothing_is_open) {
  weft::latch open(0);
  open.wait();
  EXPECT_TRUE(open.try_wait());
}

TEST(latch, counts_several_arrivals_at_once_and_waits_with_a_bound) {
  weft::run([] {
    weft::latch open(3);
    open.count_down(2);
    EXPECT_EQ(open.missing(), 1U);
    EXPECT_FALSE(open.wait_for(1ms));
    EXPECT_FALSE(open.wait_until(std::chrono::system_clock::now() + 1ms));
    auto waits = weft::go([&] { return open.wait_for(1h); });
    until_waiting(open, 1);
    open.count_down();
    EXPECT_TRUE(waits.join());
  });
}

TEST(latch, an_arrival_stays_counted_when_its_wait_is_cancelled) {
  weft::run([] {
    weft::latch open(2);
    auto waits = weft::go([&] { open.arrive_and_wait(); });
    until_waiting(open, 1);
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_EQ(open.missing(), 1U);
    open.arrive_and_wait();
  });
}

TEST(latch_death, more_arrivals_than_expected_end_the_program) {
  weft::latch open(1);
  EXPECT_DEATH(open.count_down(2), "latch::count_down: more arrivals than expected: 2 where 1 were missing");
}

}  // namespace
