// What the default registry shows of runs.

#include <weft/metrics/registry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/timer.hpp>

namespace {

using namespace std::chrono_literals;

double shown(const std::string& name) {
  const auto now = weft::metrics::default_registry().take_snapshot();
  EXPECT_TRUE(now.problems.empty());
  const auto* const found = now.find("weft_fibers_" + name, {});
  return found == nullptr ? -1 : found->value;
}

/// Values of the histogram above the bound `least`, which it has.
std::uint64_t count_above(const std::string& name, double least) {
  const auto now = weft::metrics::default_registry().take_snapshot();
  const auto& all = now.find("weft_fibers_" + name, {})->histogram;
  std::uint64_t above = 0;
  for (std::size_t i = 0; i < all.counts.size(); ++i) {
    const double from = i == 0 ? 0 : all.bounds[i - 1];
    if (from >= least * 0.999) above += all.counts[i];
  }
  return above;
}

class run_metrics : public testing::Test {
 protected:
  /// The first run registers them.
  static void SetUpTestSuite() {
    weft::run([] {});
  }
};

/// Keeps the thread for that long.
void hog(std::chrono::nanoseconds length) {
  const auto until = std::chrono::steady_clock::now() + length;
  while (std::chrono::steady_clock::now() < until) continue;
}

TEST_F(run_metrics, show_the_fibers_of_a_run_while_it_is_on) {
  weft::run([] {
    const double ended = shown("ended_total");
    const double started = shown("started_total");
    weft::event open;
    weft::scope all;
    for (int i = 0; i < 5; ++i) all.go([&] { open.wait(); });
    EXPECT_EQ(shown("ready"), 5);
    weft::yield();
    EXPECT_EQ(shown("loops"), 1);
    EXPECT_EQ(shown("alive"), 6);
    EXPECT_EQ(shown("parked"), 5);
    EXPECT_EQ(shown("ready"), 0);
    EXPECT_EQ(shown("stacks_in_use"), 6);
    EXPECT_EQ(shown("started_total"), started + 5);
    open.set();
    EXPECT_EQ(shown("ready"), 5);
    all.join();
    EXPECT_EQ(shown("alive"), 1);
    EXPECT_EQ(shown("ended_total"), ended + 5);
    EXPECT_EQ(shown("stacks_in_use"), 1);
    EXPECT_EQ(shown("stacks_idle"), 5);
    EXPECT_EQ(shown("stacks_peak"), 6);
    EXPECT_GE(shown("peak"), 6);
  });
}

TEST_F(run_metrics, count_fibers_that_ended_without_having_started) {
  weft::run([] {
    const double ended = shown("ended_total");
    const double started = shown("started_total");
    auto one = weft::go([] {});
    one.cancel();
    EXPECT_THROW(one.join(), weft::cancelled);
    EXPECT_EQ(shown("ended_total"), ended + 1);
    EXPECT_EQ(shown("started_total"), started + 1);  // its turn came, and it was refused
  });
}

TEST_F(run_metrics, keep_what_was_counted_when_the_run_has_ended) {
  const auto once = [] { weft::run([] { weft::go([] { weft::yield(); }).join(); }); };
  once();
  const double ended = shown("ended_total");
  const double switches = shown("switches_total");
  EXPECT_EQ(shown("alive"), 0);
  EXPECT_EQ(shown("loops"), 0);
  EXPECT_EQ(shown("stacks_in_use"), 0);
  EXPECT_GE(shown("peak"), 2);
  once();
  EXPECT_EQ(shown("ended_total"), ended + 2);
  EXPECT_GT(shown("switches_total"), switches);
}

TEST_F(run_metrics, add_up_the_runs_of_several_threads) {
  weft::run([] {
    weft::event there;
    weft::event enough;
    std::thread other([&] {
      weft::run([&] {
        there.set();
        enough.wait();
      });
    });
    there.wait();
    EXPECT_EQ(shown("loops"), 2);
    EXPECT_EQ(shown("alive"), 2);
    enough.set();
    other.join();
    EXPECT_EQ(shown("loops"), 1);
  });
}

TEST_F(run_metrics, show_armed_timers) {
  weft::run([] {
    const auto late = weft::after(1h, [] {});
    const auto never = weft::every(1h, [] {});
    EXPECT_EQ(shown("timers"), 2);
  });
}

TEST_F(run_metrics, show_how_much_of_a_stack_was_used) {
  weft::run([] {
    const auto use = [] {
      volatile char deep[24 * 1024];
      for (std::size_t i = 0; i < sizeof deep; i += 1024) deep[i] = 1;
      weft::yield();  // so that it gives its stack back itself
    };
    for (int i = 0; i < 300; ++i) weft::go(use).join();  // one of 256 is looked at
    EXPECT_GE(shown("stack_peak_bytes"), 24 * 1024);
  });
}

TEST_F(run_metrics, show_that_a_fiber_held_up_those_behind_it) {
  const auto before = count_above("loop_lag_seconds", 5e-3);
  weft::run([] {
    auto holder = weft::go([] { hog(6ms); });
    auto behind = weft::go([] {});
    holder.join();
    behind.join();
  });
  EXPECT_GE(count_above("loop_lag_seconds", 5e-3), before + 1);
}

TEST_F(run_metrics, show_that_a_timer_was_late) {
  const auto before = count_above("timer_lag_seconds", 5e-3);
  weft::run([] {
    weft::event rang;
    const auto soon = weft::after(1ms, [&] { rang.set(); });
    hog(10ms);
    rang.wait();
  });
  EXPECT_GE(count_above("timer_lag_seconds", 5e-3), before + 1);
}

TEST_F(run_metrics, may_be_read_by_any_thread_while_loops_run) {
  std::atomic<bool> over{false};
  double least = 0;
  std::thread reader([&] {
    while (!over.load()) {
      const double now = shown("ended_total");
      EXPECT_GE(now, least);
      least = now;
      EXPECT_GE(shown("parked"), 0);
    }
  });
  weft::run(
      [] {
        for (int round = 0; round < 20; ++round) {
          weft::scope all;
          for (int i = 0; i < 100; ++i) {
            all.go([i] {
              weft::yield();
              if (i % 10 == 0) weft::sleep_for(1ms);
            });
          }
          all.join();
        }
      },
      {.threads = 2});
  over = true;
  reader.join();
}

}  // namespace
