#include <weft/fiber/timer.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/defer.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/wait_group.hpp>

namespace {

using namespace std::chrono_literals;

constexpr weft::key_spec user_spec{.name = "test.timer_user"};
const weft::key<int> user{user_spec};

TEST(after, calls_once_on_a_fiber_of_its_own_and_never_early) {
  weft::run([] {
    weft::event called;
    std::uint64_t where = 0;
    const auto start = weft::steady_clock::now();
    auto timer = weft::after(3ms, [&] {
      where = weft::this_fiber::id();
      called.set();
    });
    EXPECT_TRUE(timer.active());
    called.wait();
    EXPECT_GE(weft::steady_clock::now() - start, 3ms);
    EXPECT_FALSE(timer.active());
    EXPECT_NE(where, weft::this_fiber::id());
    EXPECT_EQ(timer.info().ticks, 1U);
  });
}

TEST(after, keeps_the_run_on_until_it_is_due) {
  bool called = false;
  weft::run([&] { weft::after(2ms, [&] { called = true; }).detach(); });
  EXPECT_TRUE(called);
}

TEST(after, that_shall_not_keep_the_run_is_dropped_at_its_end) {
  const auto captured = std::make_shared<int>(0);
  bool called = false;
  const auto start = weft::steady_clock::now();
  weft::run([&] { weft::after(1h, [&called, captured] { called = true; }, {.keeps_run = false}).detach(); });
  EXPECT_LT(weft::steady_clock::now() - start, 30min);
  EXPECT_FALSE(called);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(after, cancelled_is_not_called_and_gives_its_captures_back_at_once) {
  weft::run([] {
    const auto captured = std::make_shared<int>(0);
    bool called = false;
    auto timer = weft::after(1ms, [&called, captured] { called = true; });
    EXPECT_TRUE(timer.cancel());
    EXPECT_EQ(captured.use_count(), 1);
    EXPECT_FALSE(timer.cancel());
    weft::sleep_for(5ms);
    EXPECT_FALSE(called);
  });
}

TEST(after, is_cancelled_by_dropping_its_handle) {
  weft::run([] {
    bool called = false;
    {
      auto timer = weft::after(1ms, [&] { called = true; });
    }
    auto other = weft::after(1ms, [&] { called = true; });
    other = weft::timer();
    weft::sleep_for(5ms);
    EXPECT_FALSE(called);
  });
}

TEST(after, dropped_while_it_runs_asks_it_to_give_up_and_waits_for_its_end) {
  weft::run([] {
    std::string order;
    weft::event started;
    {
      auto timer = weft::after(1ms, [&] {
        weft::defer([&] {
          weft::sleep_for(2ms);
          order += 'd';
        });
        started.set();
        try {
          weft::sleep_for(1h);
        } catch (const weft::cancelled&) {
          order += 'c';
          throw;
        }
      });
      started.wait();
    }
    EXPECT_EQ(order, "cd");
  });
}

TEST(after, stopped_while_it_runs_lets_it_finish) {
  weft::run([] {
    weft::event started;
    bool finished = false;
    auto timer = weft::after(1ms, [&] {
      started.set();
      weft::sleep_for(3ms);
      finished = true;
    });
    started.wait();
    timer.stop();
    EXPECT_TRUE(finished);
  });
}

TEST(after, runs_in_the_context_of_where_it_was_armed) {
  weft::run([] {
    int seen = 0;
    weft::event called;
    weft::timer timer;
    {
      const weft::scoped_value bound{user, 6};
      timer = weft::after(1ms, [&] {
        seen = user.value_or(-1);
        called.set();
      });
    }
    called.wait();
    EXPECT_EQ(seen, 6);
  });
}

TEST(after, and_every_start_fibers_whose_parent_is_who_armed_them_also_when_it_has_ended) {
  weft::run([] {
    std::uint64_t armed_by = 0;
    std::vector<std::uint64_t> parents;
    weft::wait_group ticks;
    ticks.add(3);
    const auto tick = [&] {
      if (parents.size() == 3) return;
      parents.push_back(weft::this_fiber::parent_id());
      ticks.done();
    };
    weft::timer once;
    weft::timer often;
    weft::go([&] {
      armed_by = weft::this_fiber::id();
      once = weft::after(1ms, tick);
      often = weft::every(1ms, tick);
    }).join();
    ticks.wait();
    EXPECT_EQ(parents, std::vector<std::uint64_t>(3, armed_by));
  });
}

TEST(after, whose_surroundings_were_cancelled_is_not_called) {
  weft::run([] {
    bool called = false;
    weft::timer timer;
    {
      weft::cancel_scope part;
      timer = weft::after(1ms, [&] { called = true; });
      part.cancel();
    }
    while (timer.active()) weft::sleep_for(1ms);
    EXPECT_FALSE(called);
  });
}

TEST(after, of_no_time_and_of_less_is_due_at_once) {
  weft::run([] {
    weft::wait_group calls;
    calls.add(2);
    auto now = weft::after(0ms, [&] { calls.done(); });
    auto before = weft::after(-5s, [&] { calls.done(); });
    calls.wait();
  });
}

TEST(after, of_a_time_that_is_never_reached_is_armed_and_cancelled) {
  weft::run([] {
    auto timer = weft::after(std::chrono::hours::max(), [] {});
    EXPECT_TRUE(timer.active());
    EXPECT_TRUE(timer.cancel());
  });
}

TEST(after, outside_a_run_is_an_error_and_ends_its_function) {
  const auto captured = std::make_shared<int>(0);
  try {
    auto timer = weft::after(1ms, [captured] {});
    FAIL();
  } catch (const weft::error& refused) {
    EXPECT_EQ(refused.code(), weft::errc::no_scheduler);
  }
  EXPECT_EQ(captured.use_count(), 1);
}

TEST(after, that_throws_is_reported_once_by_its_name) {
  int reported = 0;
  weft::run([] { weft::after(1ms, [] { throw std::runtime_error("late"); }, {.name = "late one"}).detach(); },
            {.on_uncaught = [&](const weft::uncaught_error& what) {
              ++reported;
              EXPECT_EQ(what.name, "late one");
            }});
  EXPECT_EQ(reported, 1);
}

TEST(after, that_exits_ends_the_run) {
  EXPECT_EQ(weft::run([] {
              weft::after(1ms, [] { weft::exit(12); }).detach();
              weft::sleep_for(1h);
            }),
            12);
}

TEST(after, that_cannot_start_its_fiber_is_reported_and_the_run_goes_on) {
  int reported = 0;
  weft::run(
      [] {
        auto timer = weft::after(1ms, [] { ADD_FAILURE() << "above max_fibers"; });
        while (timer.active()) weft::sleep_for(1ms);
      },
      {.max_fibers = 1, .on_uncaught = [&](const weft::uncaught_error&) { ++reported; }});
  EXPECT_EQ(reported, 1);
}

TEST(after, is_given_up_when_the_run_ends) {
  const auto captured = std::make_shared<int>(0);
  weft::timer kept;
  const int status = weft::run([&] {
    kept = weft::after(1h, [captured] {});
    weft::exit(3);
  });
  EXPECT_EQ(status, 3);
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(kept.active());
  EXPECT_FALSE(kept.cancel());
}

}  // namespace
