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

TEST_F(test_kit, a_job_that_runs_for_ever_ends_the_drain_with_its_name) {
  jobs::test_kit small(app, {.attempts_max = 10});
  small.queue().push(closure{named_closure<"kit.for_ever">([](jobs::control& job) { job.delay(0s); })});
  try {
    small.drain();
    ADD_FAILURE() << "it ended";
  } catch (const weft::error& bound) {
    EXPECT_EQ(bound.code(), weft::errc::resource_exhausted);
    EXPECT_TRUE(has(bound.message(), "kit.for_ever()")) << bound.message();
  }
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
  kit.assert_pushed(weft::function<&never_pushed>, 0);
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

TEST_F(test_kit, a_name_that_no_closure_has_is_no_answer) {
  try {
    kit.assert_pushed("kit.nite", 0);
    ADD_FAILURE() << "a name that is misspelt was taken";
  } catch (const weft::error& unknown) {
    EXPECT_EQ(unknown.code(), weft::errc::not_found);
  }
}

TEST_F(test_kit, works_on_a_fiber_and_with_several_jobs_at_a_time) {
  jobs::test_kit wide(app, {.worker = {.concurrency = 3, .pass_on_logs = false}});
  weft::run(
      [&] {
        for (const auto* const line : {"a", "b", "c", "d"}) wide.queue().push(note(line));
        EXPECT_EQ(wide.drain().done(), 4U);
      },
      {.stack_bytes = 256 * 1024});
}

TEST(test_kit_simulated, the_same_program_runs_in_the_order_of_each_seed) {
  const auto program = [] {
    notes written;
    weft::services app;
    app.provide(written);
    jobs::test_kit kit(app, {.worker = {.concurrency = 4, .pass_on_logs = false}});
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
