#include <weft/testing/test_kit.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/testing/fake_workers.hpp>
#include <weft/testing/run.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/runner.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;
using jobs::attempt_outcome;
using weft::closure;
using weft::named_closure;
using texts = std::vector<std::string>;

struct notes {
  texts lines;
};

constexpr auto note_it =
    named_closure<"kit.note">([](notes& into, std::string line) { into.lines.push_back(std::move(line)); });
closure<> note(std::string line) { return {note_it, std::move(line)}; }

closure<> fails_until(int attempt) {
  return {named_closure<"kit.fails_until">([](notes& into, jobs::control& job, int last) {
            into.lines.push_back("try " + std::to_string(job.attempt()));
            if (job.attempt() < last) throw std::runtime_error("no seat left");
          }),
          attempt};
}

void plain(notes& into, int number) { into.lines.push_back("plain " + std::to_string(number)); }
void never_pushed(notes&) {}
void unknown(notes&) {}
void elsewhere(notes& into, int number) { into.lines.push_back("elsewhere " + std::to_string(number)); }

class test_kit : public testing::Test {
 protected:
  test_kit() { app.provide(seen); }

  static std::string failure_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const jobs::test_failure& failed) {
      return failed.message();
    }
    return "no failure";
  }
  static weft::errc code_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const weft::error& refused) {
      return refused.code();
    }
    return weft::errc::unknown;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  weft::services app;
  notes seen;
  jobs::test_kit kit{app};
};

TEST_F(test_kit, drain_runs_what_is_due_and_what_that_pushes_in_all_queues) {
  app.provide(kit.queue());
  kit.queue().push(closure{[](jobs::queue& more, notes& into) {
    into.lines.emplace_back("first");
    more.push(note("third"), {.queue = "not there before"});
    more.push(note("second"));
  }});
  kit.queue().push(note("tomorrow"), {.delay = 24h});
  const auto report = kit.drain();
  EXPECT_EQ(seen.lines, (texts{"first", "second", "third"}));
  EXPECT_EQ(report.done(), 3U);
  EXPECT_NO_THROW(report.require_success());
  EXPECT_EQ(kit.drain().attempts.size(), 0U) << "all was run";
}

TEST_F(test_kit, a_drain_tells_what_ran_failed_and_is_tried_again) {
  kit.queue().push(fails_until(2));
  kit.queue().push(fails_until(2), {.max_attempts = 1});
  kit.queue().push(closure{[](jobs::control& job) { job.delay(1h); }});
  kit.queue().push(note("fine"));
  const auto report = kit.drain();
  ASSERT_EQ(report.attempts.size(), 4U);
  EXPECT_EQ(report.attempts[0].outcome, attempt_outcome::failed);
  EXPECT_TRUE(report.attempts[0].tried_again);
  EXPECT_EQ(report.attempts[0].error->message, "no seat left");
  EXPECT_EQ(report.attempts[1].state, jobs::job_state::dead);
  EXPECT_FALSE(report.attempts[1].tried_again);
  EXPECT_EQ(report.attempts[2].outcome, attempt_outcome::delayed);
  EXPECT_EQ(report.attempts[3].closure, "kit.note(str)");
  EXPECT_EQ(report.failed(), 2U);
  EXPECT_EQ(report.retried(), 1U);
  EXPECT_EQ(report.delayed(), 1U);
  const auto why = failure_of([&] { report.require_success(); });
  EXPECT_TRUE(has(why, "kit.fails_until(i32), attempt 1: failed: ")) << why;
  EXPECT_TRUE(has(why, "no seat left")) << why;
  EXPECT_FALSE(has(why, "kit.note")) << why;
}

TEST_F(test_kit, advance_runs_retries_and_delays_each_at_its_moment) {
  const auto start = kit.clock().now();
  kit.queue().push(fails_until(4));
  kit.queue().push(note("in 2 s"), {.delay = 2s});
  kit.queue().push(note("too late"), {.delay = 1h});
  const auto report = kit.advance(59min);
  std::vector<std::chrono::microseconds> when;
  for (const auto& one : report.attempts) when.push_back(one.started - start);
  EXPECT_EQ(when, (std::vector<std::chrono::microseconds>{0s, 1s, 2s, 3s, 7s}));
  EXPECT_EQ(seen.lines, (texts{"try 1", "try 2", "in 2 s", "try 3", "try 4"}));
  EXPECT_EQ(report.retried(), 3U);
  EXPECT_EQ(kit.clock().now(), start + 59min);
  EXPECT_EQ(kit.advance(1min).done(), 1U) << "its last moment is due, too";
}

TEST_F(test_kit, advance_fires_schedules_and_gives_jobs_the_tokens_of_their_rate) {
  kit.queue().schedule("hourly", jobs::cron("0 * * * *", jobs::time_zone("UTC")), note("hour"));
  EXPECT_EQ(kit.advance(24h).done(), 24U);
  kit.queue().unschedule("hourly");
  const jobs::push_options one_a_minute{.limit = {{"gate", 100, {.count = 1, .period = 1min}}}};
  for (int number = 0; number < 5; ++number) kit.queue().push(note("gate"), one_a_minute);
  EXPECT_EQ(kit.drain().done(), 1U);
  EXPECT_EQ(kit.advance(3min).done(), 3U);
  EXPECT_EQ(kit.advance(1min).done(), 1U);
}

TEST_F(test_kit, an_hour_that_is_paused_or_without_work_passes_too) {
  kit.queue().push(note("late"), {.delay = 1min});
  kit.queue().pause();
  EXPECT_EQ(kit.advance(1h).attempts.size(), 0U);
  kit.queue().resume();
  EXPECT_EQ(kit.drain().done(), 1U);
}

TEST_F(test_kit, a_job_that_cannot_run_is_in_the_report_with_the_reason) {
  struct absent {};
  kit.queue().push(closure{[](weft::service<absent>) {}});
  const auto report = kit.drain();
  EXPECT_EQ(report.refused(), 1U);
  EXPECT_TRUE(has(failure_of([&] { report.require_success(); }), "absent"));
}

TEST_F(test_kit, jobs_for_a_pool_and_for_worker_processes_run_on_the_same_thread) {
  struct thread_of {
    std::set<std::thread::id> all;
  } threads;
  app.provide(threads);
  const auto look = [](thread_of& of) { of.all.insert(std::this_thread::get_id()); };
  kit.queue().push(closure{weft::placed_closure<weft::run_place::pool>(look)});
  kit.queue().push(closure{weft::placed_closure<weft::run_place::workers>(look)});
  EXPECT_EQ(kit.drain().done(), 2U);
  EXPECT_EQ(threads.all, std::set{std::this_thread::get_id()});
}

TEST_F(test_kit, a_job_that_runs_for_ever_ends_the_drain_with_its_name_wherever_it_runs) {
  const auto for_ever = [](jobs::control& job) { job.delay(0s); };
  const closure<> everywhere[]{
      {named_closure<"kit.for_ever">(for_ever)},
      {named_closure<"kit.for_ever.fiber">(weft::placed_closure<weft::run_place::fiber>(for_ever))},
      {named_closure<"kit.for_ever.pool">(weft::placed_closure<weft::run_place::pool>(for_ever))},
      {named_closure<"kit.for_ever.workers">(weft::placed_closure<weft::run_place::workers>(for_ever))}};
  for (const auto& one : everywhere) {
    jobs::test_kit small(app, {.attempts_max = 10});
    small.queue().push(one);
    try {
      small.drain();
      ADD_FAILURE() << "it ended";
    } catch (const weft::error& bound) {
      EXPECT_EQ(bound.code(), weft::errc::resource_exhausted);
      EXPECT_TRUE(has(bound.message(), one.identity().text())) << bound.message();
    }
  }
}

TEST_F(test_kit, the_bound_of_attempts_is_for_each_moment) {
  jobs::test_kit small(app, {.attempts_max = 3});
  small.queue().schedule("hourly", jobs::cron("0 * * * *", jobs::time_zone("UTC")), note("hour"));
  EXPECT_EQ(small.advance(24h).done(), 24U);
}

TEST_F(test_kit, the_order_is_that_of_claims_in_all_places) {
  const auto look = [](notes& into, int number) { into.lines.push_back(std::to_string(number)); };
  kit.queue().push(closure{weft::placed_closure<weft::run_place::workers>(look), 1});
  kit.queue().push(closure{weft::placed_closure<weft::run_place::fiber>(look), 2});
  kit.queue().push(closure{look, 3});
  kit.queue().push(closure{weft::placed_closure<weft::run_place::pool>(look), 4}, {.priority = -1});
  const auto report = kit.drain();
  texts ran;
  for (const auto& one : report.attempts) ran.push_back(kit.queue().show(one.job)->arguments);
  texts as_seen;
  for (const auto& one : seen.lines) as_seen.push_back("[" + one + "]");
  EXPECT_EQ(ran, as_seen);
  EXPECT_EQ(ran.size(), 4U);
}

TEST_F(test_kit, an_option_of_the_worker_leaves_the_others_of_the_kit) {
  jobs::test_kit other(app, {.worker = {.crashes_max = 7}});
  app.provide(other.queue());
  other.queue().push(closure{
      [](notes& into, jobs::queue& at) { into.lines.push_back(std::to_string(at.stats().at(0).running)); }});
  other.queue().push(note("second"));
  EXPECT_EQ(other.drain().done(), 2U);
  EXPECT_EQ(seen.lines, (texts{"1", "second"})) << "one at a time";
  EXPECT_EQ(code_of([&] { jobs::test_kit(app, {.worker = {.concurrency = 4}}); }),
            weft::errc::invalid_argument);
}

TEST_F(test_kit, a_wrapper_of_the_test_is_around_each_attempt) {
  int runs = 0;
  jobs::test_kit watched(app, {.worker = {.around = [&](auto& place, const auto& request) {
                                 ++runs;
                                 return place.run(request);
                               }}});
  watched.queue().push(note("a"));
  watched.queue().push(closure{weft::placed_closure<weft::run_place::pool>([] {})});
  EXPECT_EQ(watched.drain().done(), 2U);
  EXPECT_EQ(runs, 2);
}

TEST_F(test_kit, pushed_finds_jobs_by_name_function_and_arguments) {
  kit.queue().push(note("a"));
  kit.queue().push(note("b"), {.priority = 5});
  kit.queue().push(closure{weft::function<&plain>, 1});
  kit.drain();
  EXPECT_EQ(kit.pushed().size(), 3U);
  EXPECT_EQ(kit.pushed("kit.note").size(), 2U);
  EXPECT_EQ(kit.pushed(note_it).size(), 2U);
  EXPECT_EQ(kit.pushed(note("b")).size(), 1U);
  EXPECT_EQ(kit.pushed<&plain>().size(), 1U);
  EXPECT_EQ(kit.assert_pushed(note("b")).priority, 5);
  EXPECT_EQ(kit.assert_pushed(note_it).arguments, R"(["b"])") << "the last one";
  EXPECT_EQ(kit.assert_pushed<&plain>().state, jobs::job_state::done);
  kit.assert_pushed(note_it, 2);
  (void)closure{weft::function<&never_pushed>};
  kit.assert_pushed(weft::function<&never_pushed>, 0);
}

TEST_F(test_kit, a_function_is_found_under_each_name_and_place) {
  using weft::function;
  using weft::run_place;
  kit.queue().push(closure{named_closure<"kit.elsewhere">(function<&elsewhere>), 1});
  kit.queue().push(closure{weft::placed_closure<run_place::pool>(function<&elsewhere>), 2});
  EXPECT_EQ(kit.pushed<&elsewhere>().size(), 2U);
  EXPECT_NE(failure_of([&] { kit.assert_pushed(function<&elsewhere>, 0); }), "no failure");
  EXPECT_EQ(kit.pushed(named_closure<"kit.elsewhere">(function<&elsewhere>)).size(), 1U);
  EXPECT_EQ(kit.pushed(closure{function<&elsewhere>, 1}).size(), 1U) << "with the name";
  EXPECT_EQ(kit.pushed(closure{function<&elsewhere>, 2}).size(), 1U) << "with the place";
  EXPECT_EQ(kit.pushed(closure{function<&elsewhere>, 3}).size(), 0U);
}

TEST_F(test_kit, what_was_not_pushed_fails_with_what_was) {
  EXPECT_NO_THROW(kit.assert_nothing_pushed());
  kit.queue().push(note("a"));
  const auto missing = failure_of([&] { kit.assert_pushed(note("b")); });
  EXPECT_TRUE(has(missing, R"(a job of kit.note(str) with ["b"])")) << missing;
  EXPECT_TRUE(has(missing, R"(kit.note(str) with ["a"] in queue default)")) << missing;
  EXPECT_TRUE(has(failure_of([&] { kit.assert_pushed("kit.note", 2); }), "there are 1"));
  EXPECT_NE(failure_of([&] { kit.assert_pushed(note_it, 0); }), "no failure");
  EXPECT_NE(failure_of([&] { kit.assert_nothing_pushed(); }), "no failure");
  EXPECT_NE(failure_of([&] { kit.assert_pushed<&never_pushed>(); }), "no failure");
}

TEST_F(test_kit, a_name_or_function_that_no_closure_has_is_no_answer) {
  EXPECT_EQ(code_of([&] { kit.assert_pushed("kit.nite", 0); }), weft::errc::not_found);
  EXPECT_EQ(code_of([&] { kit.assert_pushed(weft::function<&unknown>, 0); }), weft::errc::not_found);
  EXPECT_EQ(code_of([&] { kit.pushed(named_closure<"kit.nite">(weft::function<&plain>)); }),
            weft::errc::not_found);
}

TEST_F(test_kit, jobs_that_expired_and_processes_that_died_are_told_apart_from_refusals) {
  weft::testing::fake_workers fake;
  const weft::workers::client pool(fake.options());
  weft::workers::worker_runner in_workers(pool);
  jobs::test_kit mortal(app, {.worker = {.workers = &in_workers}});
  mortal.queue().push(note("late"), {.expires = mortal.clock().now() + 1min});
  mortal.clock().advance(2min);
  const closure<> heavy{
      named_closure<"kit.heavy">(weft::placed_closure<weft::run_place::workers>([](notes&) {}))};
  fake.on(heavy).crashes();
  mortal.queue().push(heavy);
  const auto report = mortal.drain();
  EXPECT_EQ(report.crashed(), 1U) << report.text();
  EXPECT_EQ(report.expired(), 1U) << report.text();
  EXPECT_EQ(report.refused(), 0U);
  EXPECT_EQ(report.retried(), 1U);
  EXPECT_TRUE(has(report.text(), "attempt 1: expired: ")) << report.text();
}

TEST_F(test_kit, works_on_a_fiber_and_with_several_jobs_at_a_time) {
  jobs::test_kit wide(app, {.concurrency = 3});
  weft::run(
      [&] {
        for (const auto* const line : {"a", "b", "c", "d"}) wide.queue().push(note(line));
        EXPECT_EQ(wide.drain().done(), 4U);
      },
      {.stack_bytes = 256 * 1024});
}

TEST(test_kit_simulated, an_hour_of_the_kit_is_one_for_all_fibers) {
  weft::testing::run(
      [] {
        notes written;
        weft::services app;
        app.provide(written);
        jobs::test_kit kit(app);
        const auto start = kit.clock().now();
        const auto begun = weft::steady_clock::now();
        auto shop = weft::go([&] {
          weft::sleep_for(30min);
          kit.queue().push(note("half past"));
          kit.queue().push(note("five to"), {.delay = 25min});
        });
        kit.queue().push(note("quarter to"), {.delay = 45min});
        const auto report = kit.advance(1h);
        EXPECT_EQ(written.lines, (texts{"half past", "quarter to", "five to"}));
        ASSERT_EQ(report.attempts.size(), 3U);
        EXPECT_EQ(std::chrono::round<std::chrono::minutes>(report.attempts[0].started - start), 30min);
        EXPECT_EQ(std::chrono::round<std::chrono::minutes>(report.attempts[2].started - start), 55min);
        EXPECT_EQ(kit.clock().now(), start + 1h);
        EXPECT_GE(weft::steady_clock::now() - begun, 1h);
        shop.join();
      },
      {.time = weft::testing::test_time::jumps});
}

TEST(test_kit_simulated, the_same_program_runs_in_the_order_of_each_seed) {
  const auto program = [] {
    notes written;
    weft::services app;
    app.provide(written);
    jobs::test_kit kit(app, {.concurrency = 4});
    const closure slow{[](notes& into, int number) {
                         weft::sleep_for(1h);
                         into.lines.push_back(std::to_string(number));
                       },
                       1};
    for (int number = 0; number < 4; ++number) kit.queue().push(slow);
    kit.queue().push(fails_until(3));
    const auto report = kit.advance(1min);
    weft::simulation::require(report.done() == 5 && report.retried() == 2, report.text());
  };
  const weft::simulation_options options{.run = {.stack_bytes = 256 * 1024}};
  const auto report = weft::simulate_many(program, {.count = 20, .each = options});
  EXPECT_GT(report.distinct_traces, 1U);
}

}  // namespace
