#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/sink.hpp>

#include "jobs/jobs_fixture.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

/// What the closures of these tests write down.
struct diary {
  std::vector<std::string> lines;
  std::vector<job_id> ids;
  event waits;
};
struct session {
  std::string of;
};

class run_or_push : public jobs_fixture {
 protected:
  run_or_push() { app_.provide(diary_); }

  diary diary_;
};

closure<> call_back(int max_exponent) {
  return closure{named_closure<"test.call_back">([](diary& into, control& job, int exponent) {
                   into.lines.emplace_back(job.in_line() ? "in line" : "in the worker");
                   into.ids.push_back(job.id());
                   job.backoff(exponent, std::make_exception_ptr(std::runtime_error("no answer")));
                 }),
                 max_exponent};
}
closure<> fail() {
  return closure{named_closure<"test.fail_at_once">([](diary& into) {
    into.lines.emplace_back("run");
    throw std::out_of_range("no seat left");
  })};
}

TEST_F(run_or_push, runs_once_in_line_and_then_in_the_worker_after_1_2_4_8_16_32_seconds) {
  const auto ended = queue_->run_or_push(call_back(5), app_);
  EXPECT_EQ(diary_.lines, std::vector<std::string>{"in line"});
  ASSERT_TRUE(ended.pushed);
  const job_id id = *ended.pushed;
  EXPECT_EQ(run_due(), 0U);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s}) {
    ASSERT_EQ(show(id).state, job_state::scheduled);
    clock_.advance(wait - 1us);
    EXPECT_EQ(run_due(), 0U) << wait.count();
    clock_.advance(1us);
    EXPECT_EQ(run_due(), 1U) << wait.count();
  }
  EXPECT_EQ(diary_.lines.size(), 7U) << "in line, and six times in the worker";
  EXPECT_EQ(diary_.lines.back(), "in the worker");
  EXPECT_EQ(diary_.ids, std::vector<job_id>(7, id));
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::dead);
  ASSERT_TRUE(job.past.back().error);
  EXPECT_EQ(job.past.back().error->type, "weft.jobs.retries_exceeded");
  EXPECT_EQ(job.past.back().error->causes.at(0).message, "no answer");
}

TEST_F(run_or_push, pushes_nothing_where_the_function_has_done_its_work) {
  const auto ended = queue_->run_or_push(
      closure{named_closure<"test.sum">([](int one, int other) { return one + other; }), 3, 4}, app_);
  EXPECT_EQ(ended.result, 7);
  EXPECT_FALSE(ended.pushed);
  EXPECT_TRUE(queue_->list().empty());
}

TEST_F(run_or_push, pushes_for_the_delay_that_the_run_asked_for) {
  const closure later{named_closure<"test.later">([](control& job) {
    if (job.in_line()) job.delay(5min);
    return job.attempt();
  })};
  const auto ended = queue_->run_or_push(later, app_, {.priority = -3, .tags = {"mail"}});
  EXPECT_FALSE(ended.result) << "what the run in line returned is not its result";
  const auto job = show(ended.pushed.value());
  EXPECT_EQ(job.run_at, clock_.now() + 5min);
  EXPECT_EQ(job.priority, -3);
  EXPECT_EQ(job.tags, std::vector<std::string>{"mail"});
  EXPECT_EQ(job.backoffs, 0);
  clock_.advance(5min);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(queue_->result<int>(job.id), 1);
}

TEST_F(run_or_push, throws_what_the_function_throws_and_pushes_nothing) {
  EXPECT_THROW(queue_->run_or_push(fail(), app_), std::out_of_range);
  EXPECT_TRUE(queue_->list().empty());
}

TEST_F(run_or_push, pushes_what_failed_where_it_is_told_to) {
  testing::internal::CaptureStderr();
  const auto ended = queue_->run_or_push(fail(), app_, {.max_attempts = 1}, in_line_error::pushed);
  EXPECT_TRUE(log::flush(10s));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no seat left"), std::string::npos);
  const job_id id = ended.pushed.value();
  EXPECT_EQ(run_due(), 0U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(diary_.lines.size(), 2U);
  EXPECT_EQ(show(id).state, job_state::dead) << "its one attempt was left";
}

TEST_F(run_or_push, lends_the_services_of_the_callers_request) {
  const auto fresh = [] { return session{"the run"}; };
  app_.add<session>(fresh, {.scope = service_scope::per_request});
  services request(app_, service_scope::per_request);
  request.get<session>().of = "ann";
  const closure who{named_closure<"test.who">([](session& of) { return of.of; })};
  EXPECT_EQ(queue_->run_or_push(who, request).result, "ann");
}

TEST_F(run_or_push, refuses_before_the_run_what_could_not_be_pushed) {
  EXPECT_THROW(queue_->run_or_push(call_back(5), app_, {.tags = {""}}), error);
  EXPECT_TRUE(diary_.lines.empty());
}

TEST_F(run_or_push, refuses_to_run_before_the_jobs_that_it_is_to_wait_for) {
  const job_id first = queue_->push(call_back(1));
  const auto code_for = [&](const push_options& options) {
    try {
      queue_->run_or_push(call_back(5), app_, options);
      return errc::unknown;
    } catch (const error& why) {
      return why.code();
    }
  };
  EXPECT_EQ(code_for({.after = {first}}), errc::invalid_argument);
  EXPECT_EQ(code_for({.after_end = {first}}), errc::invalid_argument);
  EXPECT_TRUE(diary_.lines.empty());
}

TEST_F(run_or_push, pushes_nothing_for_a_caller_that_is_cancelled) {
  run(
      [&] {
        const closure waits{named_closure<"test.waits_in_line">([](diary& into, control& job) {
          job.delay(1h);
          into.lines.emplace_back("run");
          into.waits.wait();
        })};
        auto caller = go([&] { queue_->run_or_push(waits, app_); });
        while (diary_.lines.empty()) yield();
        caller.cancel();
        EXPECT_THROW(caller.join(), cancelled);
      },
      with_room_for_sanitizers());
  EXPECT_TRUE(queue_->list().empty());
}

TEST_F(run_or_push, pushes_what_asked_for_another_time_although_its_caller_is_cancelled_then) {
  run(
      [&] {
        cancel_scope scope;
        app_.provide(scope);
        const closure asks{named_closure<"test.asks_and_ends">([](cancel_scope& around, control& job) {
          job.delay(1h);
          around.cancel();
        })};
        EXPECT_TRUE(queue_->run_or_push(asks, app_).pushed);
      },
      with_room_for_sanitizers());
  EXPECT_EQ(queue_->list().size(), 1U);
}

}  // namespace
}  // namespace weft::jobs
