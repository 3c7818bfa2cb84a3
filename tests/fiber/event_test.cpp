#include <weft/fiber/event.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include <weft/core/error.hpp>

#include "fiber/lock_helpers.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

class event_tasks : public testing::TestWithParam<crew::kind> {};

TEST_P(event_tasks, all_go_on_when_it_is_set_and_it_stays_set) {
  weft::run([] {
    weft::event ready;
    std::atomic<int> woken{0};
    crew all(GetParam());
    for (int i = 0; i < 4; ++i) {
      all.start([&] {
        ready.wait();
        ++woken;
      });
    }
    until_waiting(ready, 4);
    EXPECT_EQ(woken, 0);
    ready.set();
    all.join();
    EXPECT_EQ(woken, 4);
    ready.wait();
    EXPECT_TRUE(ready.is_set());
  });
}

INSTANTIATE_TEST_SUITE_P(tasks, event_tasks, kinds_of_crew(), kind_name());

TEST(event, who_waited_goes_on_also_when_it_is_reset_at_once) {
  weft::run([] {
    weft::event ready;
    auto waits = weft::go([&] { ready.wait(); });
    until_waiting(ready, 1);
    ready.set();
    ready.reset();
    waits.join();
    EXPECT_FALSE(ready.is_set());
    EXPECT_FALSE(ready.wait_for(1ms));
    EXPECT_FALSE(ready.wait_until(std::chrono::system_clock::now() + 1ms));
  });
}

TEST(event, a_cancelled_wait_leaves_nothing_behind) {
  weft::run([] {
    weft::event ready;
    auto waits = weft::go([&] { ready.wait(); });
    until_waiting(ready, 1);
    waits.cancel();
    EXPECT_THROW(waits.join(), weft::cancelled);
    EXPECT_EQ(ready.waiting(), 0U);
    ready.set();
    auto late = weft::go([&] { ready.wait(); });
    late.cancel();
    EXPECT_THROW(late.join(), weft::cancelled);
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

TEST(event, may_be_destroyed_by_the_one_that_waited) {
  const int rounds = sanitized ? 300 : 3'000;
  for (int i = 0; i < rounds; ++i) {
    auto ready = std::make_unique<weft::event>();
    std::thread setter([&ready_now = *ready] { ready_now.set(); });
    ready->wait();
    ready.reset();
    setter.join();
  }
}

TEST(event, a_wait_where_it_is_forbidden_is_misuse) {
  weft::event never;
  const weft::no_wait_scope here("a test");
  EXPECT_THROW(never.wait(), weft::error);
  EXPECT_EQ(never.waiting(), 0U);
}

}  // namespace
