#include <weft/testing/run.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <weft/executor/blocking.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/testing/leak_check.hpp>
#include <weft/testing/macros.hpp>

namespace {

using namespace std::chrono_literals;
using weft::testing::test_failure;
using weft::testing::test_time;
namespace kit = weft::testing;

/// What a test of `body` fails with; "it passed" where it does not.
std::string failure_of(const std::function<void()>& body, kit::run_options options = {}) {
  try {
    kit::run(body, std::move(options));
  } catch (const test_failure& failed) {
    return failed.message();
  }
  return "it passed";
}

/// The deadlines of these tests are their own, whatever the environment says.
class own_deadlines : public ::testing::Environment {
  void SetUp() override { ::unsetenv("WEFT_TEST_DEADLINE"); }
};
[[maybe_unused]] const auto* const deadlines = ::testing::AddGlobalTestEnvironment(new own_deadlines);

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(test_run, the_body_runs_on_a_fiber_and_its_error_is_the_tests) {
  bool on_fiber = false;
  kit::run([&] { on_fiber = weft::this_fiber::in_fiber(); });
  EXPECT_TRUE(on_fiber);
  EXPECT_THROW(kit::run([] { throw std::out_of_range("no seat"); }), std::out_of_range);
}

TEST(test_run, a_test_that_hangs_ends_and_says_where_every_fiber_waits) {
  weft::event never;
  const auto why = failure_of(
      [&] {
        weft::channel<int> empty(1);
        auto reader = weft::go([&] { (void)empty.pop(); }, {.name = "reader"});
        never.wait_for(1h);
      },
      {.name = "shop.sells", .deadline = 200ms});
  EXPECT_TRUE(has(why, "shop.sells: did not end within 200 ms")) << why;
  EXPECT_TRUE(has(why, "\"reader\" waits in channel::pop")) << why;
  EXPECT_TRUE(has(why, "\"test\" waits in event::wait")) << why;
  EXPECT_TRUE(has(why, "run_test.cpp:")) << why;
}

TEST(test_run, the_deadline_holds_for_fibers_on_other_threads) {
  const auto why = failure_of(
      [] {
        weft::scope both;
        both.go([] { weft::sleep_for(1h); });
        both.go([] { weft::sleep_for(1h); });
        both.join();
      },
      {.deadline = 200ms, .threads = 2});
  EXPECT_TRUE(has(why, "scope::join")) << why;
}

TEST(test_run, a_deadlock_is_told_at_once) {
  const auto begun = std::chrono::steady_clock::now();
  weft::event never;
  EXPECT_THROW(kit::run([&] { never.wait(); }, {.deadline = 60s}), weft::deadlock_error);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
}

TEST(test_run, the_environment_says_another_deadline) {
  ::setenv("WEFT_TEST_DEADLINE", "0", 1);
  kit::run([] { weft::sleep_for(50ms); }, {.deadline = 1ms});
  for (const char* const none : {"10m", "soon", "-1"}) {
    ::setenv("WEFT_TEST_DEADLINE", none, 1);
    EXPECT_THROW(kit::run([] {}), weft::error) << none;
  }
  ::unsetenv("WEFT_TEST_DEADLINE");
  EXPECT_TRUE(has(failure_of([] { weft::sleep_for(10s); }, {.deadline = 1ms}), "did not end within 1 ms"));
}

TEST(test_run, fibers_that_are_left_fail_the_test_and_are_ended) {
  bool unwound = false;
  const auto why = failure_of([&] {
    weft::go(
        [&] {
          const struct at_end {
            bool& told;
            ~at_end() { told = true; }
          } tells{unwound};
          weft::sleep_for(1h);
        },
        {.name = "forgotten"})
        .detach();
  });
  EXPECT_TRUE(has(why, "1 fiber is left")) << why;
  EXPECT_TRUE(has(why, "\"forgotten\" waits in")) << why;
  EXPECT_TRUE(unwound);
}

TEST(test_run, fibers_that_are_about_to_end_are_no_leak) {
  kit::run([] { weft::go([] { weft::yield(); }).detach(); });
  kit::run([] { weft::go([] { weft::sleep_for(1s); }).detach(); }, {.check_fibers = false});
}

TEST(test_run, an_error_that_nobody_joins_fails_the_test) {
  const auto why = failure_of(
      [] { weft::go([] { throw std::runtime_error("nobody hears"); }, {.name = "alone"}).detach(); });
  EXPECT_TRUE(has(why, "\"alone\": nobody hears")) << why;
}

TEST(test_run, descriptors_and_children_that_are_left_fail_the_test) {
  int left = -1;
  const auto why = failure_of([&] { left = ::open("/dev/null", O_RDONLY | O_CLOEXEC); });
  EXPECT_TRUE(has(why, "descriptor " + std::to_string(left) + ": /dev/null")) << why;
  ::close(left);
  pid_t child = -1;
  const auto other = failure_of([&] {
    child = ::fork();
    if (child == 0) ::_exit(0);
  });
  EXPECT_TRUE(has(other, "child process " + std::to_string(child))) << other;
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(failure_of([&] { left = ::open("/dev/null", O_RDONLY | O_CLOEXEC); }, {.check_process = false}),
            "it passed");
  ::close(left);
}

TEST(test_run, what_another_thread_is_about_to_close_is_no_leak) {
  std::thread closes;
  kit::run([&] {
    const int late = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    closes = std::thread([late] {
      std::this_thread::sleep_for(300ms);
      ::close(late);
    });
  });
  closes.join();
}

TEST(test_run, what_was_there_before_is_no_leak) {
  const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const kit::leak_check leaks;
  kit::run([] { weft::blocking([] {}); });
  EXPECT_EQ(leaks.found(), "");
  ::close(before);
  const kit::leak_check again;
  const int left = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_THROW(again.require_none(), test_failure);
  ::close(left);
}

using test_run_death = ::testing::Test;

TEST(test_run_death, a_fiber_that_keeps_its_thread_ends_the_process_with_its_calls) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(kit::run([] { weft::go([] { std::this_thread::sleep_for(1h); }, {.name = "busy"}).join(); },
                        {.name = "stuck", .deadline = 500ms, .run = {.shutdown_grace = 100ms}}),
               "stuck did not end within 500 ms(.|\n)*\"busy\" has had its thread for");
}

TEST(test_run_death, nor_can_a_body_whose_time_jumps_be_stopped_within_its_turn) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      kit::run(
          [] { std::this_thread::sleep_for(1h); },
          {.name = "stuck", .deadline = 200ms, .time = test_time::jumps, .run = {.shutdown_grace = 100ms}}),
      "stuck did not end within 200 ms, and cannot be unwound: a fiber does not let go of its thread");
}

TEST(test_run_jumps, sleeps_timeouts_and_deadlines_take_no_time) {
  const auto begun = std::chrono::steady_clock::now();
  bool late = false;
  kit::run(
      [&] {
        const auto start = weft::steady_clock::now();
        weft::sleep_for(24h);
        late = weft::move_on_after(5h, [] { weft::sleep_for(1000h); });
        EXPECT_GE(weft::steady_clock::now() - start, 29h);
        EXPECT_LT(weft::steady_clock::now() - start, 30h);
      },
      {.time = test_time::jumps});
  EXPECT_TRUE(late);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
}

TEST(test_run_jumps, a_queue_and_its_worker_follow_the_clock_of_the_test) {
  struct notes {
    std::vector<std::chrono::minutes> at;
    weft::wall_clock::time_point start = weft::wall_clock::now();
    weft::event done;
  };
  kit::run(
      [] {
        notes seen;
        weft::services app;
        app.provide(seen);
        weft::jobs::queue queue(
            "memory:", {.keys = std::make_shared<weft::wire::key_ring>(weft::wire::key::generate("test"))});
        queue.schedule("half past", weft::jobs::cron("30 * * * *", weft::jobs::time_zone("UTC")),
                       weft::closure{[](notes& into) {
                         into.at.push_back(
                             std::chrono::round<std::chrono::minutes>(weft::wall_clock::now() - into.start));
                         if (into.at.size() == 24) into.done.set();
                       }});
        weft::jobs::worker worker(queue, app, {.pass_on_logs = false});
        auto working = weft::go([&] { worker.run(); });
        seen.done.wait();
        worker.stop();
        working.join();
        EXPECT_EQ(seen.at.back() - seen.at.front(), 23h);
      },
      {.time = test_time::jumps});
}

TEST(test_run_jumps, leaks_and_errors_fail_there_too) {
  const kit::run_options jumping{.time = test_time::jumps};
  EXPECT_THROW(kit::run([] { weft::go([] { weft::sleep_for(1h); }).detach(); }, jumping),
               weft::simulation_error);
  EXPECT_TRUE(has(failure_of([] { weft::go([] { throw std::runtime_error("unheard"); }).detach(); }, jumping),
                  "unheard"));
  EXPECT_THROW(kit::run([] { throw std::out_of_range("no seat"); }, jumping), weft::simulation_error);
}

// Each turn takes real time, so that the deadline comes long before the bound of turns.
void take_turns_for_ever() {
  for (;;) {
    weft::sleep_for(1h);
    const auto until = std::chrono::steady_clock::now() + 100us;
    while (std::chrono::steady_clock::now() < until) {
    }
  }
}

TEST(test_run_jumps, a_deadline_that_passes_fails_with_where_each_fiber_waits) {
  bool unwound = false;
  const auto why = failure_of(
      [&] {
        const struct at_end {
          bool& seen;
          ~at_end() { seen = true; }
        } sees{unwound};
        auto waits = weft::go([] { weft::channel<int>(1).pop(); }, {.name = "listener"});
        take_turns_for_ever();
      },
      {.name = "endless", .deadline = 300ms, .time = test_time::jumps, .seed = 5});
  EXPECT_EQ(why.find("endless: did not end within 300 ms:\n"), 0U) << why;
  EXPECT_TRUE(has(why, "\"listener\" waits in channel::pop")) << why;
  EXPECT_TRUE(has(why, "\"test\"")) << why;
  EXPECT_TRUE(has(why, "run_test.cpp")) << why;
  EXPECT_TRUE(has(why, "WEFT_SEED=5")) << why;
  EXPECT_TRUE(unwound);
  kit::run([] { weft::sleep_for(24h); }, {.time = test_time::jumps});  // the next one is a new one
}

TEST(test_run_jumps, turns_without_end_fail_with_where_each_fiber_waits) {
  try {
    kit::run(
        [] {
          auto idle = weft::go([] { weft::sleep_for(1000h * 1000); }, {.name = "idle"});
          for (;;) weft::yield();
        },
        {.time = test_time::jumps});
    ADD_FAILURE() << "it ended";
  } catch (const weft::simulation_error& failed) {
    EXPECT_EQ(failed.code(), weft::errc::resource_exhausted);
    EXPECT_TRUE(has(failed.what(), "goes on for ever")) << failed.what();
    EXPECT_TRUE(has(failed.what(), "\"idle\" waits in sleep")) << failed.what();
  }
}

TEST(test_run_jumps, the_seed_decides_the_order) {
  const auto order_of = [](std::uint64_t seed) {
    std::string order;
    kit::run(
        [&] {
          weft::scope all;
          for (const char one : {'a', 'b', 'c', 'd', 'e'}) all.go([&order, one] { order += one; });
          all.join();
        },
        {.time = test_time::jumps, .seed = seed});
    return order;
  };
  EXPECT_EQ(order_of(7), order_of(7));
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) orders.insert(order_of(seed));
  EXPECT_GT(orders.size(), 3U);
}

// The macros of GoogleTest.

WEFT_TEST(test_macros, run_their_body_in_a_runtime) { EXPECT_TRUE(weft::this_fiber::in_fiber()); }

class test_fixture : public ::testing::Test {
 protected:
  void SetUp() override { set_up_outside = !weft::this_fiber::in_fiber(); }
  bool set_up_outside = false;
};

WEFT_TEST_F(test_fixture, has_its_members_and_options, .time = test_time::jumps, .seed = 3) {
  EXPECT_TRUE(set_up_outside);
  EXPECT_TRUE(weft::this_fiber::in_fiber());
  EXPECT_TRUE(weft::simulation::active());
  weft::sleep_for(24h);
}
TEST_F(test_fixture, goes_beside_others_of_the_suite) { EXPECT_TRUE(set_up_outside); }

}  // namespace
