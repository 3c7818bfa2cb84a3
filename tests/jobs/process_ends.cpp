#include "jobs/processes_fixture.hpp"

// How processes under a job end: by themselves, by a signal, or as somebody wants the job to end.

namespace weft::jobs::in_processes {
namespace {

TEST_P(jobs_processes, that_die_are_crashes_of_the_job_and_it_alone) {
  const std::vector<std::pair<std::string, std::string>> ways{
      {"segv", "SIGSEGV"}, {"abort", "SIGABRT"}, {"exit", "status 3"}, {"overflow", "died"}};
  std::vector<job_id> ids;
  for (const auto& [way, shown] : ways) ids.push_back(queue_->push(dies(way)));
  const job_id other = queue_->push(survives(1));
  EXPECT_EQ(run_in_processes(), ways.size() + 1);
  EXPECT_EQ(last_.crashed, ways.size());
  EXPECT_EQ(last_.failed, 0U);
  EXPECT_EQ(show(other).state, job_state::done);
  for (std::size_t i = 0; i < ways.size(); ++i) {
    SCOPED_TRACE(ways[i].first);
    const auto job = show(ids[i]);
    EXPECT_EQ(job.state, job_state::scheduled);
    EXPECT_EQ(job.crashes, 1);
    EXPECT_EQ(job.attempts, 0);
    const auto& attempt = job.past.at(0);
    EXPECT_EQ(attempt.outcome, attempt_outcome::crashed);
    EXPECT_EQ(attempt.error.value().code, errc::worker_died);
    EXPECT_NE(attempt.error.value().message.find(ways[i].second), std::string::npos)
        << attempt.error.value().message;
    std::string said;
    for (const auto& record : attempt.log.records) {
      for (const auto& field : record.fields) {
        if (field.name == "stderr") said = std::get<std::string>(field.value);
      }
    }
    // The report of a sanitizer is longer than what is kept.
    const bool may_be_cut = ways[i].first == "overflow" && !said.empty();
    EXPECT_TRUE(may_be_cut || said.find("about to die by " + ways[i].first) != std::string::npos) << said;
  }
}

TEST_P(jobs_processes, that_die_too_often_put_the_job_into_quarantine) {
  const job_id id = queue_->push(dies("abort"));
  worker_options options;
  options.crashes_max = 2;
  EXPECT_EQ(run_in_processes({}, options), 1U);
  clock_.advance(1s - 1us);
  EXPECT_EQ(run_in_processes({}, options), 0U) << "the next process may die, too: it waits as after an error";
  clock_.advance(1us);
  EXPECT_EQ(run_in_processes({}, options), 1U);
  EXPECT_EQ(last_.quarantined, 1U);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::quarantined);
  EXPECT_EQ(job.crashes, 2);
  try {
    queue_->wait<void>(id);
    FAIL();
  } catch (const job_given_up& ended) {
    EXPECT_EQ(ended.state(), job_state::quarantined);
    EXPECT_EQ(ended.code(), errc::worker_died);
  }
}

TEST_P(jobs_processes, that_are_stopped_by_sigterm_spend_an_attempt_and_no_crash) {
  const job_id id = queue_->push(until_a_signal());
  beside_worker({.crashes_max = 1}, [&] {
    ::kill(process_of(id), SIGTERM);
    wait_for(id, job_state::scheduled);
  });
  const auto job = show(id);
  EXPECT_EQ(job.crashes, 0);
  EXPECT_EQ(job.attempts, 1);
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::failed);
  EXPECT_EQ(job.past.at(0).error.value().code, errc::worker_died);
  EXPECT_NE(job.past.at(0).error.value().message.find("SIGTERM"), std::string::npos);
}

TEST_P(jobs_processes, that_raise_sigterm_themselves_come_to_an_end) {
  const job_id id = queue_->push(dies("term"), {.max_attempts = 2});
  EXPECT_EQ(run_in_processes(), 1U);
  clock_.advance(1h);
  EXPECT_EQ(run_in_processes(), 1U);
  EXPECT_EQ(show(id).state, job_state::dead);
  EXPECT_EQ(show(id).crashes, 0);
}

TEST_P(jobs_processes, killed_in_the_middle_of_a_job_are_told_from_a_dead_worker) {
  const job_id id = queue_->push(never_ends());
  beside_worker({}, [&] {
    ::kill(process_of(id), SIGKILL);
    wait_for(id, job_state::scheduled);
  });
  const auto job = show(id);
  EXPECT_EQ(job.crashes, 1);
  EXPECT_NE(job.past.at(0).error.value().message.find("SIGKILL"), std::string::npos);
}

TEST_P(jobs_processes, that_ignore_their_timeout_are_killed_and_the_attempt_has_failed) {
  const job_id id = queue_->push(never_ends(), {.max_attempts = 100, .timeout = 300ms});
  std::string message;
  // On a busy machine the time may be up before the function ignores signals.
  for (int tries = 0; tries < 50 && message.find("SIGKILL") == std::string::npos; ++tries) {
    clock_.advance(2h);
    EXPECT_EQ(run_in_processes(), 1U);
    message = show(id).past.back().error.value().message;
  }
  EXPECT_NE(message.find("SIGKILL"), std::string::npos) << message;
  const auto job = show(id);
  EXPECT_GE(job.attempts, 1);
  EXPECT_EQ(job.crashes, 0);
  EXPECT_EQ(job.past.back().outcome, attempt_outcome::failed);
  EXPECT_EQ(job.past.back().error.value().code, errc::deadline_exceeded);
}

TEST_P(jobs_processes, that_do_not_give_up_when_their_job_is_cancelled_are_killed) {
  const job_id id = queue_->push(never_ends());
  beside_worker({}, [&] {
    const pid_t process = process_of(id);
    EXPECT_TRUE(queue_->cancel(id));
    wait_for(id, job_state::cancelled);
    EXPECT_FALSE(is_alive(process));
  });
  EXPECT_EQ(show(id).past.at(0).outcome, attempt_outcome::cancelled);
}

TEST_P(jobs_processes, see_that_their_job_is_cancelled) {
  const closure waits{placed_closure<workers_place>(named_closure<"process.waits">([](control& job) {
    job.progress(1, 1);
    try {
      sleep_for(1h);
    } catch (const cancelled&) {
      log::info("gives up", {{"cancelled", job.cancelled()}});
      throw;
    }
  }))};
  const job_id id = queue_->push(waits);
  beside_worker(
      {},
      [&] {
        (void)process_of(id);
        EXPECT_TRUE(queue_->cancel(id));
        wait_for(id, job_state::cancelled);
      },
      10s);
  const auto records = show(id).past.at(0).log.records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].message, "gives up");
  EXPECT_EQ(records[0].fields.at(0), (log::field{"cancelled", true}));
}

TEST_P(jobs_processes, that_run_when_the_worker_stops_give_their_job_back) {
  const job_id id = queue_->push(never_ends());
  pid_t process = -1;
  beside_worker({.stop_grace = 1ms}, [&] { process = process_of(id); });
  EXPECT_FALSE(is_alive(process));
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::ready);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.crashes, 0);
}

}  // namespace
}  // namespace weft::jobs::in_processes
