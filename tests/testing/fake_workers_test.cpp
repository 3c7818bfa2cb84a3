#include <weft/testing/fake_workers.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>
#include <weft/context/key.hpp>
#include <weft/core/failure.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/run.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/testing/fault.hpp>
#include <weft/testing/run.hpp>
#include <weft/testing/test_kit.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/runner.hpp>

#include "support/closure_runner_contract.hpp"

namespace runner_contract {

/// A runner in fake workers, with all that it needs.
class in_fake_workers final : public weft::closure_runner {
 public:
  weft::closure_outcome run(const weft::closure_request& request) override { return runner_.run(request); }
  std::string_view name() const noexcept override { return runner_.name(); }

 private:
  weft::testing::fake_workers fake_{
      [](weft::services& app, weft::workers::interfaces&) { runner_contract::setup(app); }};
  weft::workers::client pool_{fake_.options()};
  weft::workers::worker_runner runner_{pool_};
};

INSTANTIATE_TEST_SUITE_P(in_fake_workers, closure_runner_contract,
                         testing::Values(maker{"in_fake_workers",
                                               [] { return std::make_unique<in_fake_workers>(); }}));

}  // namespace runner_contract

namespace {

using namespace std::chrono_literals;
using weft::workers::call_timed_out;
using weft::workers::worker_died;
namespace kit = weft::testing;

constexpr weft::key_spec user_spec{.name = "fake_workers.user", .wire = weft::wire_policy::worker};
const weft::key<std::string> user{user_spec};
constexpr weft::key_spec stays_spec{.name = "fake_workers.stays"};
const weft::key<std::string> stays{stays_spec};

class no_seat : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class unheard_of : public std::exception {
 public:
  const char* what() const noexcept override { return "unheard of"; }
};

struct counter {
  int value = 0;
};

void offer(weft::services& app, weft::workers::interfaces& offered) {
  weft::register_error<no_seat>("fake_workers.no_seat");
  app.add<counter>([] { return counter(); }, {.scope = weft::service_scope::per_task});
  offered.add("double", [](counter& calls, int number) {
    ++calls.value;
    return calls.value * 2 * number;
  });
  offered.add("fail", [](std::string what) {
    if (what == "seat") throw no_seat("row 7");
    throw unheard_of();
  });
  offered.add("who", [] { return user.value_or("nobody") + "/" + stays.value_or("nothing"); });
  offered.add("sleep", [] { weft::sleep_for(1h); });
  offered.add("leave", [](int status) { weft::exit(status); });
  offered.add("count_bytes", [](weft::workers::caller& client) {
    std::uint64_t count = 0;
    while (const auto piece = client.read()) {
      count += piece->size();
      client.say_progress(0.5, "so far " + std::to_string(count));
    }
    client.write("that is all");
    return count;
  });
}

class fake_workers : public ::testing::Test {
 protected:
  kit::fake_workers fake{&offer};
};

TEST_F(fake_workers, functions_and_closures_run_here_with_services_of_each_call) {
  kit::run([&] {
    weft::workers::client pool(fake.options({.name = "shop", .max_workers = 3}));
    EXPECT_EQ(pool.call<int>("double", 21), 42);
    EXPECT_EQ(pool.call<int>("double", 4), 8) << "the counter is new";
    EXPECT_EQ(pool.call(weft::closure{[](counter&, int n) { return n * n; }, 12}), 144);
    EXPECT_EQ(pool.options().name, "shop");
    EXPECT_EQ(pool.statistics().calls, 3U);
    EXPECT_EQ(pool.statistics().busy, 0U);
  });
  const auto seen = fake.calls();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], (kit::fake_workers::seen_call{"double", "[21]"}));
  EXPECT_EQ(seen[1], (kit::fake_workers::seen_call{"double", "[4]"}));
  EXPECT_EQ(seen[2].arguments, "[12]");
  EXPECT_EQ(fake.count("double"), 2U);
}

TEST_F(fake_workers, a_plain_thread_may_call_too) {
  weft::workers::client pool(fake.options());
  EXPECT_EQ(pool.call<int>("double", 21), 42);
  fake.on("double").crashes();
  EXPECT_THROW(pool.call<int>("double", 21), worker_died);
}

TEST_F(fake_workers, errors_come_as_from_another_process) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    EXPECT_THROW(pool.call("fail", "seat"), no_seat) << "registered";
    try {
      pool.call("fail", "other");
      ADD_FAILURE() << "it threw nothing";
    } catch (const weft::remote_error& other) {
      EXPECT_EQ(other.details().message, "unheard of");
      EXPECT_EQ(other.details().where, "a fake worker");
    }
    EXPECT_THROW(pool.call("nothing"), weft::error);
    EXPECT_THROW(pool.call("double", "no number"), weft::error) << "arguments are written down and read";
  });
}

TEST_F(fake_workers, only_what_may_travel_is_seen) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    const weft::scoped_value ada(user, "Ada");
    const weft::scoped_value here(stays, "here");
    EXPECT_EQ(pool.call<std::string>("who"), "Ada/nothing");
  });
}

TEST_F(fake_workers, replies_are_those_of_the_script_in_their_order) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    fake.on("double").answers(7).throws(no_seat("row 1")).runs().exits(3).times_out();
    EXPECT_EQ(pool.call<int>("double", 21), 7);
    EXPECT_THROW(pool.call<int>("double", 21), no_seat);
    EXPECT_EQ(pool.call<int>("double", 21), 42);
    EXPECT_THROW(pool.call<int>("double", 21), weft::workers::worker_exited);
    EXPECT_THROW(pool.call<int>("double", 21), call_timed_out);
    EXPECT_EQ(pool.call<int>("double", 21), 42) << "the script is over";
    fake.on("not there").answers(std::string("scripted")).for_ever();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(pool.call<std::string>("not there"), "scripted");
    EXPECT_THROW(fake.on("not there").runs(), weft::error);
    EXPECT_EQ(pool.statistics().timeouts, 1U);
  });
}

TEST_F(fake_workers, a_crash_costs_the_checkout_its_worker) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    fake.on("double").runs().crashes(SIGKILL, "out of paper\n");
    auto held = pool.checkout();
    EXPECT_EQ(held.call<int>("double", 1), 2);
    EXPECT_GT(held.worker_pid(), 4'194'304) << "no process has such an id";
    try {
      held.call<int>("double", 1);
      ADD_FAILURE() << "it went on";
    } catch (const worker_died& died) {
      EXPECT_EQ(died.status(), weft::process::exit_status::signaled(SIGKILL));
      EXPECT_EQ(died.last_words(), "out of paper\n");
    }
    EXPECT_THROW(held.call<int>("double", 1), worker_died) << "it has none any more";
    EXPECT_EQ(pool.checkout().call<int>("double", 1), 2);
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(fake.count("double"), 3U) << "the one without a worker did not get there";
  });
}

TEST_F(fake_workers, the_time_of_a_call_is_that_of_the_test) {
  kit::run(
      [&] {
        weft::workers::client pool(fake.options({.timeout = 30s}));
        const auto start = weft::steady_clock::now();
        EXPECT_THROW(pool.call("sleep"), call_timed_out);
        EXPECT_GE(weft::steady_clock::now() - start, 30s);
        EXPECT_LT(weft::steady_clock::now() - start, 31s);
        fake.on("double").hangs();
        EXPECT_THROW(pool.call<int>("double", 1), call_timed_out);
        EXPECT_THROW(weft::with_timeout(1s, [&] { pool.call("sleep"); }), weft::deadline_exceeded);
        EXPECT_EQ(pool.call<int>("double", 1), 2);
      },
      {.time = kit::test_time::jumps});
}

TEST_F(fake_workers, a_call_that_is_cancelled_is_given_up) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    auto calling = weft::go_now([&] { pool.call("sleep"); });
    calling.cancel();
    EXPECT_THROW(calling.join(), weft::cancelled);
    EXPECT_EQ(pool.statistics().busy, 0U);
  });
}

TEST_F(fake_workers, the_pool_is_bounded_and_its_line_in_order) {
  kit::run(
      [&] {
        weft::workers::client pool(fake.options({.max_workers = 1, .timeout = 2h, .max_waiting = 1}));
        auto first = weft::go_now([&] { pool.call("sleep"); });
        auto second = weft::go_now([&] { return pool.call<int>("double", 1); });
        EXPECT_EQ(pool.statistics().waiting, 1U);
        EXPECT_THROW(pool.call<int>("double", 1), weft::error) << "the line is full";
        first.join();
        EXPECT_EQ(second.join(), 2);
      },
      {.time = kit::test_time::jumps});
}

TEST_F(fake_workers, that_cannot_be_started) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    fake.fail_starts(1);
    EXPECT_THROW(pool.call<int>("double", 1), weft::workers::start_failed);
    EXPECT_EQ(pool.call<int>("double", 1), 2);
  });
}

TEST_F(fake_workers, have_the_fault_points_of_the_pool) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    const weft::error gone(weft::errc::unavailable, "gone");
    const kit::fault calls("weft.workers.call", kit::throws(gone), {.times = 3});
    EXPECT_THROW(pool.call<int>("double", 1), weft::error);
    EXPECT_THROW((void)pool.checkout().start<int>("double", 1), weft::error);
    weft::workers::worker_runner runner(pool);
    const weft::closure<> nothing{weft::named_closure<"fake_workers.nothing">([] {})};
    EXPECT_TRUE(runner.run(weft::request_of(nothing, weft::wire_policy::worker)).error);
    EXPECT_EQ(calls.struck(), 3U);
    const kit::fault starts("weft.workers.start", kit::throws(gone), {.times = 1});
    EXPECT_THROW(pool.call<int>("double", 1), weft::error);
    EXPECT_EQ(fake.count("double"), 0U);
    EXPECT_EQ(pool.call<int>("double", 1), 2);
  });
}

TEST_F(fake_workers, calls_stream_and_say_how_far_they_are) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    std::vector<std::string> told;
    auto held =
        pool.checkout({.on_progress = [&](const weft::workers::progress& now) { told.push_back(now.text); }});
    auto call = held.start<std::uint64_t>("count_bytes");
    for (int i = 0; i < 200; ++i) EXPECT_TRUE(call.stream().write("0123456789"));
    call.stream().end_writing();
    const auto said = call.stream().read();
    ASSERT_TRUE(said.has_value());
    EXPECT_EQ(weft::as_text(*said), "that is all");
    EXPECT_EQ(call.get(), 2000U);
    EXPECT_EQ(told.back(), "so far 2000");
    fake.on("count_bytes").crashes();
    auto dies = held.start<std::uint64_t>("count_bytes");
    EXPECT_THROW(dies.get(), worker_died);
    EXPECT_THROW(held.call<int>("double", 1), worker_died);
    { const auto dropped = pool.checkout().start<void>("sleep"); }
    EXPECT_EQ(pool.statistics().busy, 0U) << "its function has ended";
  });
}

TEST_F(fake_workers, a_job_without_a_timeout_has_that_of_the_pool) {
  kit::run(
      [&] {
        weft::workers::client pool(fake.options({.timeout = 30s}));
        weft::workers::worker_runner runner(pool);
        const auto start = weft::steady_clock::now();
        const weft::closure<> slow{weft::named_closure<"fake_workers.slow">([] { weft::sleep_for(1h); })};
        const auto outcome = runner.run(weft::request_of(slow, weft::wire_policy::worker));
        ASSERT_TRUE(outcome.error);
        EXPECT_EQ(outcome.error->code, weft::errc::deadline_exceeded);
        EXPECT_LT(weft::steady_clock::now() - start, 31s);
      },
      {.time = kit::test_time::jumps});
}

constexpr auto tells =
    weft::named_closure<"fake_workers.tells">([](weft::workers::caller& client, int number) {
      client.say_progress(0.5, "half");
      EXPECT_FALSE(client.read().has_value());
      return number + 1;
    });

TEST_F(fake_workers, written_closures_cost_their_workers_as_calls_do) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    weft::workers::worker_runner runner(pool);
    const weft::closure<int> told{tells, 1};
    const auto run = [&] { return runner.run(weft::request_of(told, weft::wire_policy::worker)); };
    EXPECT_EQ(run().result, "2");
    EXPECT_EQ(pool.statistics().calls, 1U);
    fake.on(told).crashes(SIGSEGV, "no memory").exits(3).times_out().throws(no_seat("row 7"));
    const auto crashed = run();
    ASSERT_TRUE(crashed.error);
    EXPECT_EQ(crashed.fault, weft::run_fault::died);
    EXPECT_EQ(crashed.error->code, weft::errc::worker_died);
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(pool.statistics().alive, 0U);
    EXPECT_EQ(run().error->code, weft::errc::exited);
    EXPECT_EQ(pool.statistics().alive, 0U);
    EXPECT_EQ(run().error->code, weft::errc::deadline_exceeded);
    EXPECT_EQ(pool.statistics().timeouts, 1U);
    EXPECT_EQ(run().error->type, "fake_workers.no_seat");
    EXPECT_EQ(run().result, "2");
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(pool.statistics().calls, 6U);
  });
}

TEST_F(fake_workers, closures_have_their_caller) {
  kit::run([&] {
    weft::workers::client pool(fake.options());
    EXPECT_EQ(pool.call(weft::closure{tells, 41}), 42);
    weft::workers::worker_runner runner(pool);
    EXPECT_EQ(runner.run(weft::request_of(weft::closure<int>{tells, 41}, weft::wire_policy::worker)).result,
              "42");
  });
}

TEST_F(fake_workers, jobs_run_there_and_crash_there) {
  weft::services app;
  weft::workers::client pool(fake.options());
  weft::workers::worker_runner runner(pool);
  kit::run([&] {
    weft::jobs::test_kit jobs(app, {.worker = {.workers = &runner}});
    constexpr auto heavy = weft::named_closure<"fake_workers.heavy">(
        weft::placed_closure<weft::run_place::workers>([](counter&) {}));
    fake.on("fake_workers.heavy").crashes();
    jobs.queue().push(weft::closure{heavy});
    const auto report = jobs.drain();
    EXPECT_EQ(report.crashed(), 1U) << report.text();
    EXPECT_EQ(pool.statistics().deaths, 1U);
    EXPECT_EQ(jobs.advance(1min).done(), 1U);
    EXPECT_EQ(fake.count("fake_workers.heavy"), 2U);
    fake.on("fake_workers.heavy").crashes(SIGTERM);
    jobs.queue().push(weft::closure{heavy});
    const auto stopped = jobs.drain();
    EXPECT_EQ(stopped.crashed(), 0U) << "a service that is stopped is no crash";
    EXPECT_EQ(stopped.failed(), 1U);
  });
}

}  // namespace
