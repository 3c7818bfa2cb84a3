#include <weft/executor/scheduled_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/context/context.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/simulate.hpp>

#include "support/uncaught_errors.hpp"

namespace {

using namespace std::chrono_literals;
using weft::scheduled_state;
using weft::steady_clock;

constexpr weft::key_spec tenant_spec{.name = "test.scheduled_tenant"};
const weft::key<int> tenant{tenant_spec};

/// Runs a test in the time of a simulation, where nothing takes time but waiting for it.
template <typename Main>
void in_simulated_time(Main main) {
  weft::simulate(1, main, {.turn_time_max = 0ns});
}

TEST(scheduled_pool, runs_once_when_its_time_has_come) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    const auto begin = steady_clock::now();
    steady_clock::duration after{};
    auto task = pool.once(5s, [&] { after = steady_clock::now() - begin; });
    EXPECT_EQ(task.state(), scheduled_state::waiting);
    EXPECT_EQ(task.due(), begin + 5s);
    task.wait();
    EXPECT_EQ(after, 5s);
    EXPECT_EQ(task.state(), scheduled_state::done);
    EXPECT_EQ(task.runs(), 1U);
  });
}

TEST(scheduled_pool, starts_what_is_due_in_order_of_time) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    std::vector<int> order;
    std::vector<weft::scheduled_task> tasks;
    for (const int seconds : {5, 1, 4, 2, 3}) {
      tasks.push_back(
          pool.once(std::chrono::seconds(seconds), [&order, seconds] { order.push_back(seconds); }));
    }
    for (auto& one : tasks) one.wait();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4, 5}));
  });
}

TEST(scheduled_pool, a_fixed_rate_does_not_drift_and_leaves_out_what_passes_while_it_runs) {
  in_simulated_time([] {
    weft::scheduled_pool pool({.threads = 2});
    const auto begin = steady_clock::now();
    std::vector<steady_clock::duration> starts;
    auto task = pool.at_fixed_rate(1s, 1s, [&] {
      starts.push_back(steady_clock::now() - begin);
      weft::sleep_for(starts.size() == 2 ? 2500ms : 300ms);
    });
    weft::sleep_for(7500ms);
    task.cancel();
    task.wait();
    EXPECT_EQ(starts, (std::vector<steady_clock::duration>{1s, 2s, 5s, 6s, 7s}));
    EXPECT_EQ(task.missed(), 2U);
    EXPECT_EQ(task.runs(), 5U);
    EXPECT_EQ(task.state(), scheduled_state::cancelled);
  });
}

TEST(scheduled_pool, a_fixed_delay_counts_from_the_end) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    const auto begin = steady_clock::now();
    std::vector<steady_clock::duration> starts;
    auto task = pool.with_fixed_delay(0s, 1s, [&] {
      starts.push_back(steady_clock::now() - begin);
      weft::sleep_for(500ms);
    });
    weft::sleep_for(3700ms);
    task.cancel();
    task.wait();
    EXPECT_EQ(starts, (std::vector<steady_clock::duration>{0s, 1500ms, 3s}));
    EXPECT_EQ(task.missed(), 0U);
  });
}

TEST(scheduled_pool, each_run_has_a_fresh_frame_of_the_context_of_its_scheduling) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    std::vector<int> seen;
    weft::scheduled_task task;
    {
      const weft::scoped_value bound{tenant, 7};
      task = pool.at_fixed_rate(1s, 1s, [&] {
        seen.push_back(tenant.value_or(0));
        const weft::scoped_value written{tenant, static_cast<int>(seen.size())};
      });
    }
    weft::sleep_for(3500ms);
    task.cancel();
    task.wait();
    EXPECT_EQ(seen, (std::vector<int>{7, 7, 7}));
  });
}

TEST(scheduled_pool, a_run_that_throws_is_the_last_is_reported_once_in_its_context_and_shown) {
  const uncaught_errors seen([] { return tenant.value_or(0); });
  in_simulated_time([] {
    weft::scheduled_pool pool;
    auto task = weft::with(tenant, 9, [&] {
      return pool.at_fixed_rate(1s, 1s, [runs = 0]() mutable {
        if (++runs == 2) throw std::runtime_error("second");
      });
    });
    weft::sleep_for(10s);
    EXPECT_EQ(task.state(), scheduled_state::failed);
    EXPECT_EQ(task.runs(), 2U);
    EXPECT_THROW(std::rethrow_exception(task.error()), std::runtime_error);
    EXPECT_FALSE(task.cancel());
  });
  ASSERT_EQ(seen.all().size(), 1U);
  EXPECT_EQ(seen.all()[0].text, "second");
  EXPECT_EQ(seen.all()[0].mark, 9);
}

TEST(scheduled_pool, a_cancelled_task_does_not_begin_and_its_function_ends) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    const auto held = std::make_shared<int>(1);
    auto task = pool.once(1s, [held] { ADD_FAILURE() << "it ran"; });
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(pool.waiting(), 1U);
    EXPECT_TRUE(task.cancel());
    EXPECT_FALSE(task.cancel());
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(pool.waiting(), 0U);
    weft::sleep_for(2s);
    EXPECT_EQ(task.state(), scheduled_state::cancelled);
  });
}

TEST(scheduled_pool, cancel_asks_a_run_to_give_up) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    bool gave_up = false;
    auto task = pool.at_fixed_rate(0s, 1s, [&] {
      try {
        weft::sleep_for(1h);
      } catch (const weft::cancelled&) {
        gave_up = true;
        throw;
      }
    });
    weft::sleep_for(1500ms);
    EXPECT_EQ(task.state(), scheduled_state::running);
    EXPECT_TRUE(task.cancel());
    task.wait();
    EXPECT_TRUE(gave_up);
    EXPECT_EQ(task.runs(), 1U);
  });
}

TEST(scheduled_pool, a_task_may_cancel_itself_and_may_not_wait_for_itself) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    weft::scheduled_task task;
    bool refused = false;
    task = pool.at_fixed_rate(1s, 1s, [&] {
      try {
        task.wait();
      } catch (const weft::error& error) {
        refused = error.code() == weft::errc::deadlock;
      }
      EXPECT_TRUE(task.cancel());
      weft::checkpoint();  // is not cut short by that
    });
    weft::sleep_for(5s);
    EXPECT_TRUE(refused);
    EXPECT_EQ(task.runs(), 1U);
    EXPECT_EQ(task.state(), scheduled_state::cancelled);
  });
}

TEST(scheduled_pool, a_task_whose_context_is_cancelled_ends_without_a_report) {
  const uncaught_errors seen([] { return 0; });
  in_simulated_time([] {
    weft::scheduled_pool pool;
    weft::scheduled_task task;
    {
      weft::cancel_scope scope;
      task = pool.at_fixed_rate(1s, 1s, [] { weft::checkpoint(); });
      weft::shield([] { weft::sleep_for(1500ms); });
      scope.cancel();
    }
    weft::sleep_for(5s);
    EXPECT_EQ(task.state(), scheduled_state::cancelled);
    EXPECT_EQ(task.error(), nullptr);
  });
  EXPECT_TRUE(seen.all().empty());
}

TEST(scheduled_pool, is_an_executor_and_its_runs_see_it) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    EXPECT_EQ(pool.submit([] { return 4; }).get(), 4);
    bool same = false;
    pool.once(1s, [&] { same = weft::current_executor() == pool; }).wait();
    EXPECT_TRUE(same);
  });
}

TEST(scheduled_pool, shutdown_drops_what_waits_and_lets_what_is_due_run) {
  in_simulated_time([] {
    weft::scheduled_pool pool;
    bool ended = false;
    auto later = pool.once(1h, [] {});
    auto due = pool.once(0s, [&] {
      weft::sleep_for(2s);
      ended = true;
    });
    weft::sleep_for(1s);
    const auto report = pool.shutdown(1min);
    EXPECT_EQ(report.finished_tasks, 1U);
    EXPECT_TRUE(ended);
    EXPECT_EQ(later.state(), scheduled_state::cancelled);
    EXPECT_EQ(due.state(), scheduled_state::done);
    EXPECT_THROW(pool.once(1s, [] {}), weft::error);
  });
}

TEST(scheduled_pool, refuses_periods_that_are_none_and_more_tasks_than_its_bound) {
  in_simulated_time([] {
    weft::scheduled_pool pool({.tasks_max = 1});
    EXPECT_THROW(pool.at_fixed_rate(1s, 0s, [] {}), weft::error);
    EXPECT_THROW(pool.with_fixed_delay(1s, -1s, [] {}), weft::error);
    auto first = pool.once(1h, [] {});
    EXPECT_THROW(pool.once(1s, [] {}), weft::error);
  });
}

TEST(scheduled_pool, common_one_cannot_be_shut_down) {
  in_simulated_time([] {
    EXPECT_THROW(weft::common_scheduled_pool().shutdown(0ms), weft::error);
    weft::common_scheduled_pool().once(1s, [] {}).wait();
  });
}

TEST(scheduled_pool, ends_soundly_in_every_order) {
  weft::simulate_many(
      [] {
        int runs = 0;
        weft::scheduled_task kept;
        {
          weft::scheduled_pool pool({.threads = 2});
          auto periodic = pool.at_fixed_rate(1ms, 1ms, [&] { ++runs; });
          kept = pool.with_fixed_delay(0ms, 2ms, [] { weft::yield(); });
          auto canceller = weft::go([&] { periodic.cancel(); });
          weft::sleep_for(3ms);
          canceller.join();
          periodic.wait();
        }
        EXPECT_EQ(kept.state(), scheduled_state::cancelled);
      },
      {.count = 200});
}

TEST(scheduled_pool, a_run_in_which_all_waits_for_a_scheduled_task_is_not_stuck) {
  weft::run([] {
    weft::scheduled_pool pool;
    auto task = pool.once(5ms, [] {});
    task.wait();
    EXPECT_EQ(task.state(), scheduled_state::done);
  });
}

TEST(scheduled_pool, runs_on_real_threads) {
  std::atomic<int> runs{0};
  std::latch ran(3);
  weft::scheduled_task task;
  {
    weft::scheduled_pool pool;
    task = pool.at_fixed_rate(0ms, 1ms, [&] {
      if (++runs <= 3) ran.count_down();
    });
    auto other = pool.once(1h, [] {});
    ran.wait();
  }
  EXPECT_EQ(task.state(), scheduled_state::cancelled);
  EXPECT_GE(runs, 3);
}

}  // namespace
