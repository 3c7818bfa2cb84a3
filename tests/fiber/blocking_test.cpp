#include <weft/executor/blocking.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/simulate.hpp>

#include "support/sanitized.hpp"

namespace {

using namespace std::chrono_literals;

/// `count` calls, none of which ends before all have begun.
void meet(int count) {
  int inside = 0;
  weft::event all_inside;
  std::vector<weft::future<void>> calls;
  for (int i = 0; i < count; ++i) {
    calls.push_back(weft::start_blocking([&] {
      if (++inside == count) all_inside.set();
      all_inside.wait();
    }));
  }
  for (auto& one : calls) one.get();
}

TEST(blocking_simulated, calls_that_wait_for_each_other_get_a_thread_in_every_order) {
  weft::simulate_many(
      [] {
        meet(30);
        weft::simulation::require(weft::get_blocking_statistics().peak_threads >= 30, "one thread a call");
        weft::sleep_for(1min);
        weft::simulation::require(weft::get_blocking_statistics().threads == 0, "free threads end");
        meet(3);
      },
      {.count = sanitized ? 20 : 200});
}

TEST(blocking_simulated, a_result_that_comes_at_the_bound_is_given_or_dropped_in_every_order) {
  weft::simulate_many(
      [] {
        const auto held = std::make_shared<int>(7);
        const auto outcome = weft::blocking_for(5ms, [held] {
          weft::sleep_for(5ms);
          return *held;
        });
        weft::simulation::require(outcome.is_timed_out() || held.use_count() == 1, "the work ends first");
        weft::sleep_for(1s);
        weft::simulation::require(held.use_count() == 1, "what was abandoned has ended");
      },
      {.count = sanitized ? 20 : 200});
}

TEST(blocking_in_a_fiber, that_is_cancelled_leaves_its_work_behind) {
  weft::run([] {
    weft::event begun;
    const auto open = std::make_shared<weft::event>();
    weft::promise<bool> at_end;
    auto ended = at_end.get_future();
    auto caller = weft::go([&] {
      weft::blocking_until(weft::no_deadline, [&begun, open, at_end = std::move(at_end)]() mutable {
        begun.set();
        weft::shield([&] { open->wait(); });
        at_end.set_value(weft::cancellation_requested().has_value());
      });
    });
    begun.wait();
    caller.cancel();
    EXPECT_THROW(caller.join(), weft::cancelled);
    EXPECT_FALSE(ended.ready());
    open->set();
    EXPECT_TRUE(ended.get());
  });
}

}  // namespace
