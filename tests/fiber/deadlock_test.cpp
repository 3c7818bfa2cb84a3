#include <weft/fiber/run.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/scope.hpp>

namespace {

using namespace std::chrono_literals;

/// Runs `main`, which must end in a deadlock; gives the report.
template <typename Main>
std::string report_of(Main&& main, weft::run_options options = {}) {
  try {
    weft::run(std::forward<Main>(main), std::move(options));
  } catch (const weft::deadlock_error& stuck) {
    EXPECT_EQ(stuck.code(), weft::errc::deadlock);
    return stuck.fibers();
  }
  ADD_FAILURE() << "no deadlock was found";
  return {};
}

TEST(deadlock, of_a_pop_that_nobody_feeds_names_the_fiber_and_its_wait) {
  const std::string report = report_of([] {
    weft::channel<int> empty(1);
    weft::go([&] { empty.pop(); }, {.name = "lonely"}).join();
  });
  EXPECT_NE(report.find("\"lonely\" waits in channel::pop"), std::string::npos) << report;
  EXPECT_NE(report.find("\"main\" waits in fiber::join"), std::string::npos) << report;
}

TEST(deadlock, unwinds_the_fibers_with_its_own_reason) {
  bool unwound = false;
  report_of([&] {
    weft::event never;
    try {
      never.wait();
    } catch (const weft::cancelled& stop) {
      unwound = stop.reason() == weft::cancel_reason::deadlock;
      throw;
    }
  });
  EXPECT_TRUE(unwound);
}

TEST(deadlock, is_found_when_it_comes_after_other_work) {
  report_of([] {
    weft::event never;
    auto stuck = weft::go([&] { never.wait(); });
    weft::sleep_for(5ms);
    EXPECT_EQ(weft::blocking([] { return 3; }), 3);
    stuck.join();
  });
}

TEST(deadlock, is_found_across_loops) {
  for (int round = 0; round < 20; ++round) {
    const std::string report = report_of(
        [] {
          weft::channel<int> a(0);
          weft::channel<int> b(0);
          weft::scope both;
          both.go([&] {
            a.pop();
            b.push(1);
          });
          both.go([&] {
            b.pop();
            a.push(1);
          });
          both.join();
        },
        {.threads = 3});
    EXPECT_NE(report.find("3 fibers: 2 waits in channel::pop, 1 waits in scope::join"), std::string::npos)
        << report;
  }
}

TEST(deadlock, is_not_seen_where_a_timer_a_pool_or_blocking_may_wake_a_fiber) {
  weft::thread_pool pool({.threads = 1});
  EXPECT_EQ(weft::run([&] {
              weft::channel<int> values(0);
              auto slow = pool.submit([&] {
                std::this_thread::sleep_for(30ms);
                values.push(1);
              });
              EXPECT_EQ(values.pop(), 1);
              slow.get();
              weft::blocking([] { std::this_thread::sleep_for(30ms); });
              weft::sleep_for(30ms);
              return 0;
            }),
            0);
}

TEST(deadlock, of_which_a_foreign_thread_could_be_the_end_is_not_cancelled) {
  weft::event go_on;
  std::atomic<bool> waits{false};
  std::thread stranger([&] {
    while (!waits) std::this_thread::yield();
    std::this_thread::sleep_for(50ms);
    go_on.set();
  });
  EXPECT_EQ(weft::run([&] {
              waits = true;
              go_on.wait();
              return 7;
            }),
            7);
  stranger.join();
}

TEST(deadlock, is_not_seen_where_another_run_may_wake_a_fiber) {
  weft::channel<int> there(0);
  weft::channel<int> back(0);
  std::latch both_run(2);
  std::thread other([&] {
    weft::run(
        [&] {
          both_run.arrive_and_wait();
          for (int n = 0; n < 50; ++n) {
            there.pop();
            weft::sleep_for(1ms);
            back.push(n);
          }
        },
        {.threads = 2});
  });
  EXPECT_EQ(weft::run(
                [&] {
                  both_run.arrive_and_wait();
                  for (int n = 0; n < 50; ++n) {
                    there.push(n);
                    EXPECT_EQ(back.pop(), n);
                  }
                  return 5;
                },
                {.threads = 2}),
            5);
  other.join();
}

TEST(deadlock, is_not_looked_for_where_that_is_switched_off) {
  weft::event go_on;
  weft::run([&] { weft::with_timeout(50ms, [&] { go_on.wait_for(20ms); }); }, {.deadlock_check = false});
}

#if !defined(__SANITIZE_THREAD__)
TEST(deadlock_death, of_waits_that_cannot_be_cancelled_ends_the_process_and_names_them) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::run([] {
                 weft::mutex a;
                 a.lock();
                 weft::go([&] { a.lock(); }, {.name = "blocked"}).join();
               }),
               "\"blocked\" waits in mutex::lock");
}

TEST(shutdown_grace_death, a_shielded_wait_that_outlives_it_is_named_and_the_process_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::run(
                   [] {
                     weft::go([] { weft::shield([] { weft::sleep_for(1h); }); }, {.name = "stubborn"});
                     weft::yield();
                     weft::exit(3);
                   },
                   {.shutdown_grace = std::chrono::milliseconds(50)}),
               "\"stubborn\" waits in sleep");
}
#endif

}  // namespace
