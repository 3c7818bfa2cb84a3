#include "jobs/jobs_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weft/jobs/job_given_up.hpp>
#include <weft/metrics/registry.hpp>

// How long a job is tried, and what becomes of it then.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class ends_of_jobs : public jobs_fixture {
 protected:
  ends_of_jobs() { app_.provide(tries_); }

  struct tries {
    int count = 0;
  };
  tries tries_;
};

TEST_F(ends_of_jobs, a_delay_has_a_bound_on_the_age_of_the_job) {
  const closure patient{named_closure<"ends.patient">([](tries& all, control& job) {
    ++all.count;
    try {
      throw std::runtime_error("no seat left");
    } catch (const std::runtime_error&) {
      job.delay(5min, {.age_max = 12min});
    }
  })};
  const job_id id = queue_->push(patient, {.delay = 1h});
  clock_.advance(1h);
  for (int run = 0; run < 3; ++run, clock_.advance(5min)) EXPECT_EQ(run_due(), 1U) << run;
  EXPECT_EQ(tries_.count, 3) << "at 0, 5 and 10 minutes after it was due; 15 would be past its bound";
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::dead);
  EXPECT_EQ(job.past.at(1).error->message, "no seat left") << "what was handled is kept, too";
  const auto& last = *job.past.back().error;
  EXPECT_EQ(last.type, "weft.jobs.job_too_old");
  EXPECT_EQ(last.code, errc::timed_out);
  EXPECT_EQ(last.chain(), "jobs: delay job " + to_string(id) +
                              ": the next attempt would begin past its 720 s: caused by: no seat left");
}

TEST_F(ends_of_jobs, forever_tries_at_one_pace_and_gives_the_alarm_once) {
  const closure fails{named_closure<"ends.fails">([](tries& all) {
    if (++all.count <= 30) throw std::runtime_error("still closed");
  })};
  const job_id id = queue_->push(fails, {.max_attempts = 2});
  const worker_options options{.retry = retry_policy::forever(5min, 1h)};
  for (int run = 0; run < 31; ++run) {
    EXPECT_EQ(run_due(options), 1U) << run;
    clock_.advance(5min - 1us);
    EXPECT_EQ(run_due(options), 0U) << run;
    clock_.advance(1us);
  }
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(job.attempts, 30);
  std::vector<std::size_t> alarms;
  for (std::size_t run = 0; run < job.past.size(); ++run) {
    for (const auto& record : job.past[run].log.records) {
      if (record.level != log::level::error) continue;
      alarms.push_back(run);
      EXPECT_EQ(record.message, "jobs: a job has failed for longer than it should");
    }
  }
  EXPECT_EQ(alarms, std::vector<std::size_t>{12}) << "an hour is twelve waits";
}

TEST_F(ends_of_jobs, the_age_of_failing_jobs_is_in_the_metrics) {
  const auto failed_by = [](double bound) {
    const auto now = metrics::default_registry().take_snapshot();
    const auto* const found = now.find("weft_jobs_failed_age_seconds", {"ends.metric"});
    if (found == nullptr) return std::uint64_t{0};
    std::uint64_t count = 0;
    const auto& ages = found->histogram;
    for (std::size_t i = 0; i < ages.bounds.size() && ages.bounds[i] <= bound; ++i) count += ages.counts[i];
    return count;
  };
  const closure fails{named_closure<"ends.fails_in_metrics">([] { throw std::runtime_error("no"); })};
  queue_->push(fails, {.queue = "ends.metric", .max_attempts = 2});
  const worker_options options{.queues = {"ends.metric"}, .retry = {.first = 2h, .longest = 2h}};
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_EQ(failed_by(3600), 1U);
  clock_.advance(2h);
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_EQ(failed_by(3600), 1U);
  EXPECT_EQ(failed_by(86400), 2U);
}

TEST_F(ends_of_jobs, log_and_drop_ends_a_job_with_its_first_uncaught_error) {
  const closure fails{named_closure<"ends.dropped">([](tries& all) {
    ++all.count;
    throw std::runtime_error("no");
  })};
  const closure after{named_closure<"ends.after">([](tries& all) { all.count += 100; })};
  const worker_options options{.on_uncaught = on_uncaught::log_and_drop};
  const job_id id = queue_->push(fails);
  queue_->push(after, {.after_end = {id}});
  EXPECT_EQ(run_due(options), 2U) << "who waits for its end goes on";
  EXPECT_EQ(tries_.count, 101);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::cancelled);
  ASSERT_EQ(job.past.size(), 1U);
  EXPECT_EQ(job.past[0].outcome, attempt_outcome::failed);
  EXPECT_EQ(job.past[0].error->message, "no");
  ASSERT_EQ(job.past[0].log.records.size(), 1U);
  EXPECT_EQ(job.past[0].log.records[0].level, log::level::critical);
  EXPECT_EQ(last_.dropped, 1U);
  EXPECT_EQ(last_.failed, 1U);
  EXPECT_EQ(last_.dead, 0U);
  EXPECT_EQ(queue_->stats().at(0).dead, 0);
  EXPECT_EQ(queue_->stats().at(0).cancelled, 1);
  EXPECT_THROW(queue_->wait<int>(id), job_given_up);
  clock_.advance(1s);
  EXPECT_EQ(queue_->purge(0s), 2U) << "as all that have ended";
}

TEST_F(ends_of_jobs, log_and_drop_keeps_what_has_not_failed) {
  const closure waits{named_closure<"ends.waits">([](control& job) { job.backoff(1); })};
  const job_id id = queue_->push(waits);
  const worker_options options{.on_uncaught = on_uncaught::log_and_drop};
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_EQ(show(id).state, job_state::scheduled);
  clock_.advance(1s);
  EXPECT_EQ(run_due(options), 1U);
  clock_.advance(2s);
  EXPECT_EQ(run_due(options), 1U) << "more than it has: an error like any other";
  EXPECT_EQ(show(id).state, job_state::cancelled);
}

TEST_F(ends_of_jobs, a_function_may_catch_that_it_is_too_old) {
  const closure cleans_up{named_closure<"ends.cleans_up">([](control& job) {
    try {
      job.delay(1h, {.age_max = 30min}, nullptr);
    } catch (const job_too_old&) {
      return std::string("cleaned up");
    }
    return std::string("waits");
  })};
  const auto id = queue_->push(cleans_up);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(queue_->result<std::string>(id), "cleaned up");
  EXPECT_EQ(queue_->run_or_push(cleans_up, app_).result, "cleaned up");
}

}  // namespace
}  // namespace weft::jobs
