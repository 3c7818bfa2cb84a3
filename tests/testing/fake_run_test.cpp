#include <weft/testing/fake_run.hpp>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <weft/context/cancellation.hpp>

namespace {

using namespace std::chrono_literals;
namespace jobs = weft::jobs;
using weft::closure;

struct desk {
  int orders = 0;
  int order() { return ++orders; }
};

class fake_run : public testing::Test {
 protected:
  fake_run() { app.provide(at); }

  static weft::errc code_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const weft::error& refused) {
      return refused.code();
    }
    return weft::errc::unknown;
  }

  weft::services app;
  desk at;
};

TEST_F(fake_run, gives_the_function_its_control_and_returns_what_it_returns) {
  const closure<std::string> tell{[](jobs::control& job) {
    return to_string(job.id()) + " " + std::to_string(job.attempt()) + (job.in_line() ? " in line" : "") +
           (job.still_mine() ? " mine" : "") + (job.due() == jobs::moment(9s) ? " due" : "");
  }};
  jobs::fake_run run{.id = jobs::job_id{7}, .attempt = 3, .due = jobs::moment(9s), .in_line = true};
  EXPECT_EQ(run(tell, app), "7 3 in line mine due");
  run = {.still_mine = false};
  EXPECT_EQ(run(tell, app), "1 1");
}

TEST_F(fake_run, has_the_last_wish_of_the_run_and_forgets_that_of_the_one_before) {
  const closure asks{[](jobs::control& job, bool twice) {
                       job.delay(1h);
                       if (twice) job.delay(5min);
                     },
                     true};
  jobs::fake_run run;
  run(asks, app);
  EXPECT_EQ(run.asked_again, (jobs::fake_run::another_time{5min, false}));
  run(closure{[](desk&) {}}, app);
  EXPECT_FALSE(run.asked_again);
}

TEST_F(fake_run, backs_off_by_the_calls_of_earlier_attempts) {
  const closure asks{[](jobs::control& job) {
    job.backoff(3, std::make_exception_ptr(std::runtime_error("still closed")));
  }};
  jobs::fake_run run{.backoffs = 3};
  run(asks, app);
  EXPECT_EQ(run.asked_again, (jobs::fake_run::another_time{8s, true}));
  run.random = 0.5;
  run(closure{[](jobs::control& job) { job.backoff(3, {.jitter = 0.2}); }}, app);
  EXPECT_EQ(run.asked_again->wait, 8800ms) << "a tenth of 8 s more";
  run.last_error.emplace().message = "still closed";
  const closure<std::string> told{[](jobs::control& job) { return job.last_error().value().message; }};
  EXPECT_EQ(run(told, app), "still closed");
  run.backoffs = 4;
  EXPECT_THROW(run(asks, app), jobs::retries_exceeded);
}

TEST_F(fake_run, bounds_a_delay_by_the_age_that_it_is_given) {
  const closure asks{[](jobs::control& job) { job.delay(5min, {.age_max = 1h}); }};
  jobs::fake_run run{.age = 55min};
  run(asks, app);
  EXPECT_EQ(run.asked_again->wait, 5min);
  run.age += 1s;
  EXPECT_THROW(run(asks, app), jobs::job_too_old);
}

TEST_F(fake_run, keeps_steps_from_run_to_run_and_takes_them_from_the_test) {
  const closure<int> steps{[](jobs::control& job, desk& from) {
    job.checkpoint("paid", [] {});
    return job.checkpoint("order", [&] { return from.order(); });
  }};
  jobs::fake_run run;
  EXPECT_EQ(run(steps, app), 1);
  EXPECT_EQ(run(steps, app), 1) << "the step was done";
  EXPECT_EQ(run.steps.at("order"), "1");
  jobs::fake_run other{.steps = {{"order", "40"}}};
  EXPECT_EQ(other(steps, app), 40);
  jobs::fake_run lost{.still_mine = false};
  EXPECT_THROW(lost(steps, app), weft::error) << "another worker holds the job";
}

TEST_F(fake_run, bounds_steps_as_a_job_does_and_keeps_none_in_line) {
  const closure named{[](jobs::control& job) { job.checkpoint(std::string(129, 'n'), [] {}); }};
  jobs::fake_run run;
  EXPECT_EQ(code_of([&] { run(named, app); }), weft::errc::invalid_argument);
  const closure large{[](jobs::control& job) {
    job.checkpoint("large", [] { return std::string(std::size_t{256} * 1024, 'x'); });
  }};
  EXPECT_EQ(code_of([&] { run(large, app); }), weft::errc::too_large);
  const closure many{[](jobs::control& job) {
    for (int step = 0; step <= 1000; ++step) job.checkpoint(std::to_string(step), [] {});
  }};
  EXPECT_EQ(code_of([&] { run(many, app); }), weft::errc::resource_exhausted);
  EXPECT_EQ(run.steps.size(), 1000U);

  jobs::fake_run in_line{.in_line = true, .steps = {{"order", "40"}}};
  const closure<int> order{
      [](jobs::control& job, desk& from) { return job.checkpoint("order", [&] { return from.order(); }); }};
  EXPECT_EQ(in_line(order, app), 1);
  EXPECT_EQ(in_line(order, app), 2);
  EXPECT_EQ(in_line.steps.at("order"), "40");
}

TEST_F(fake_run, keeps_all_progress_and_hands_on_what_is_thrown) {
  const closure fails{[](jobs::control& job) {
    job.progress(1, 2, "half");
    job.progress(2, 2);
    throw std::out_of_range("no seat");
  }};
  jobs::fake_run run;
  EXPECT_THROW(run(fails, app), std::out_of_range);
  EXPECT_EQ(run.progress, (std::vector<jobs::job_progress>{{1, 2, "half"}, {2, 2, ""}}));
}

TEST_F(fake_run, is_cancelled_with_its_caller) {
  const closure<bool> looks{[](jobs::control& job) { return job.cancelled(); }};
  jobs::fake_run run;
  EXPECT_FALSE(run(looks, app));
  weft::cancel_scope scope;
  scope.cancel();
  EXPECT_TRUE(run(looks, app));
}

}  // namespace
