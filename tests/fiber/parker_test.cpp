#include <weft/fiber/parker.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

TEST(parker, a_permit_given_before_is_taken_without_a_wait_and_once) {
  weft::run([] {
    weft::parker here;
    here.unpark();
    here.unpark();
    here.park();
    EXPECT_FALSE(here.park_for(1ms));
  });
}

TEST(parker, wakes_the_task_that_is_parked) {
  weft::run([] {
    weft::parker here;
    auto sleeper = weft::go([&] { here.park(); });
    weft::yield();
    EXPECT_FALSE(sleeper.done());
    here.unpark();
    sleeper.join();
  });
}

TEST(parker, a_cancelled_park_leaves_the_permit_that_comes_later) {
  weft::run([] {
    weft::parker here;
    EXPECT_THROW(weft::with_timeout(1ms, [&] { here.park(); }), weft::deadline_exceeded);
    here.unpark();
    EXPECT_TRUE(here.park_for(1h));
  });
}

TEST(parker, refuses_a_second_task_and_names_both) {
  weft::run([] {
    weft::parker here;
    auto first = weft::go([&] { here.park(); });
    weft::yield();
    try {
      here.park();
      ADD_FAILURE();
    } catch (const weft::error& refused) {
      EXPECT_EQ(refused.code(), weft::errc::busy);
      EXPECT_NE(std::string(refused.what()).find(std::to_string(first.id())), std::string::npos);
    }
    here.unpark();
    first.join();
  });
}

TEST(parker, may_be_destroyed_as_soon_as_its_task_has_gone_on) {
  weft::run(
      [] {
        for (int round = 0; round < 2000; ++round) {
          auto here = std::make_unique<weft::parker>();
          auto waker = weft::go([where = here.get()] { where->unpark(); });
          here->park();
          here.reset();
          waker.join();
        }
      },
      {.threads = 2});
}

TEST(parker, a_primitive_built_on_it_misses_no_wake_between_loops) {
  // A turnstile: two tasks take turns by a shared number.
  for (const std::size_t threads : {1U, 2U}) {
    weft::run(
        [] {
          std::atomic<int> turn{0};
          weft::parker seats[2];
          constexpr int turns = 4000;
          const auto play = [&](int me) {
            for (int n = 0; n < turns; ++n) {
              while (turn.load() % 2 != me) seats[me].park();
              ++turn;
              seats[1 - me].unpark();
            }
          };
          auto one = weft::go([&] { play(0); });
          auto two = weft::go([&] { play(1); });
          one.join();
          two.join();
          EXPECT_EQ(turn, 2 * turns);
        },
        {.threads = threads});
  }
}

TEST(external_waker, is_woken_by_a_thread_that_weft_does_not_know) {
  weft::run([] {
    weft::external_waker waker;
    std::thread stranger([&] {
      std::this_thread::sleep_for(20ms);
      waker.wake();
    });
    waker.wait();
    stranger.join();
  });
}

TEST(external_waker, keeps_a_run_from_being_a_deadlock_and_no_longer_than_it_lives) {
  EXPECT_THROW(weft::run([] {
                 auto waker = std::make_unique<weft::external_waker>();
                 EXPECT_FALSE(waker->wait_for(1ms));
                 waker.reset();
                 weft::parker never;
                 never.park();
               }),
               weft::deadlock_error);
}

}  // namespace
