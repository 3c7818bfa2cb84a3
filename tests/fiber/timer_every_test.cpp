#include <weft/fiber/timer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>

namespace {

using namespace std::chrono_literals;

TEST(every, calls_again_and_again_until_it_is_cancelled_from_inside) {
  weft::run([] {
    int calls = 0;
    weft::event enough;
    weft::timer timer;
    timer = weft::every(1ms, [&] {
      if (++calls < 3) return;
      EXPECT_TRUE(timer.cancel());
      weft::sleep_for(1ms);  // cancelling one's own timer does not cancel the tick
      enough.set();
    });
    enough.wait();
    weft::sleep_for(5ms);
    EXPECT_EQ(calls, 3);
  });
}

TEST(every, runs_each_tick_on_a_new_fiber) {
  weft::run([] {
    std::vector<std::uint64_t> fibers;
    weft::event enough;
    auto timer = weft::every(1ms, [&] {
      fibers.push_back(weft::this_fiber::id());
      if (fibers.size() == 3) enough.set();
    });
    enough.wait();
    timer.stop();
    std::sort(fibers.begin(), fibers.end());
    EXPECT_EQ(std::unique(fibers.begin(), fibers.end()), fibers.end());
  });
}

TEST(every, does_not_drift_and_counts_what_it_skipped) {
  weft::run([] {
    weft::event enough;
    std::atomic<int> calls{0};
    auto timer = weft::every(10ms, [&] {
      if (++calls == 2) enough.set();
      if (calls == 1) std::this_thread::sleep_for(35ms);  // holds the loop up
    });
    const auto first = timer.info().due;
    enough.wait();
    timer.stop();
    const weft::timer_info info = timer.info();
    EXPECT_GE(info.missed, 2U);
    EXPECT_EQ(info.due, first + 10ms * static_cast<int>(info.ticks + info.missed));
  });
}

TEST(every, never_overlaps_itself) {
  weft::run([] {
    int running = 0;
    int calls = 0;
    weft::event enough;
    auto timer = weft::every(1ms, [&] {
      EXPECT_EQ(++running, 1);
      weft::sleep_for(5ms);
      --running;
      if (++calls == 3) enough.set();
    });
    enough.wait();
    timer.stop();
    EXPECT_GT(timer.info().missed, 0U);
  });
}

TEST(every, goes_on_after_an_error_that_is_reported_once) {
  int reported = 0;
  weft::run(
      [] {
        int calls = 0;
        weft::event enough;
        auto timer = weft::every(1ms, [&] {
          if (++calls == 1) throw std::runtime_error("first");
          if (calls == 3) enough.set();
        });
        enough.wait();
      },
      {.on_uncaught = [&](const weft::uncaught_error&) { ++reported; }});
  EXPECT_EQ(reported, 1);
}

TEST(every, stops_on_an_error_where_it_shall) {
  int calls = 0;
  weft::run(
      [&] {
        weft::every(1ms,
                    [&] {
                      ++calls;
                      throw std::runtime_error("only");
                    },
                    {.stops_on_error = true})
            .detach();
      },
      {.on_uncaught = [](const weft::uncaught_error&) {}});
  EXPECT_EQ(calls, 1);
}

TEST(every, ends_with_the_deadline_it_was_armed_under) {
  int calls = 0;
  weft::run([&] {
    try {
      weft::with_timeout(20ms, [&] {
        weft::every(1ms, [&] { ++calls; }).detach();
        weft::sleep_for(1h);
      });
    } catch (const weft::deadline_exceeded&) {
      return;
    }
    ADD_FAILURE();
  });
  SUCCEED() << calls;  // that the run ended is the claim
}

TEST(every, refuses_a_period_below_its_grain) {
  weft::run([] {
    EXPECT_THROW(std::ignore = weft::every(999us, [] {}), weft::error);
    EXPECT_THROW(std::ignore = weft::every(-1s, [] {}), weft::error);
  });
}

}  // namespace
