#include "jobs/processes_fixture.hpp"

namespace weft::jobs::in_processes {
namespace {

INSTANTIATE_TEST_SUITE_P(stores, jobs_processes, testing::Values("sqlite", "memory"),
                         [](const auto& of) { return std::string(of.param); });

TEST_P(jobs_processes, have_services_and_a_control_of_their_own) {
  const closure works{
      placed_closure<workers_place>(
          named_closure<"process.works">([](of_the_process& here, control& job, std::string word) {
            log::info("working", {{"word", word}});
            job.progress(1, 2, "half");
            const int tries = job.checkpoint("count", [] { return 41; }) + 1;
            if (!job.still_mine()) return std::string("lost");
            if (job.attempt() == 1) throw std::runtime_error("not yet");
            return word + ' ' + std::to_string(tries) + ' ' + (here.pid == ::getpid() ? "there" : "here");
          })),
      "hello"};
  const job_id id = queue_->push(works, {.timeout = 1h});
  EXPECT_EQ(run_in_processes(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_in_processes(), 1U);
  EXPECT_EQ(queue_->result<std::string>(id), "hello 42 there");
  const auto job = show(id);
  EXPECT_EQ(job.attempts, 1);
  ASSERT_EQ(job.past.size(), 2U);
  const auto& record = job.past[0].log.records.at(0);
  EXPECT_EQ(record.message, "working");
  EXPECT_NE(record.process_id, ::getpid());
  EXPECT_EQ(record.context,
            (std::vector<log::context_field>{{"weft.attempt", "1"}, {"weft.job", to_string(id)}}));
}

TEST_P(jobs_processes, push_jobs_with_their_end_and_see_the_last_error) {
  const closure pushes{placed_closure<workers_place>(named_closure<"process.pushes">([](control& job) {
    job.push_when_done(survives(1), {.timeout = 1h});
    if (!job.last_error()) throw booking_failed("not yet");
    if (job.last_error()->type != "test.booking_failed") throw error(errc::internal, "another error");
  }))};
  const job_id id = queue_->push(pushes, {.timeout = 1h});
  EXPECT_EQ(run_in_processes(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_in_processes(), 2U) << "the job, and what it pushed";
  EXPECT_EQ(show(id).past.back().outcome, attempt_outcome::done);
  EXPECT_EQ(queue_->stats().at(0).done, 2);
}

TEST_P(jobs_processes, ask_for_another_time) {
  const closure asks{placed_closure<workers_place>(named_closure<"process.asks">([](control& job) {
    if (job.attempt() == 1) job.backoff(1, std::make_exception_ptr(std::runtime_error("closed")));
  }))};
  const job_id id = queue_->push(asks, {.max_attempts = 1});
  for (const auto wait : {0s, 1s, 2s}) {
    clock_.advance(wait);
    EXPECT_EQ(run_in_processes(), 1U);
  }
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::dead);
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::delayed);
  EXPECT_EQ(job.past.back().error->type, "weft.jobs.retries_exceeded");
  EXPECT_EQ(job.past.back().error->causes.at(0).message, "closed");
}

TEST_P(jobs_processes, keep_the_type_chain_stack_and_place_of_errors) {
  const closure fails{placed_closure<workers_place>(named_closure<"process.fails">([] {
    try {
      throw std::out_of_range("no seat left");
    } catch (...) {
      std::throw_with_nested(booking_failed("the booking failed"));
    }
  }))};
  const job_id id = queue_->push(fails, {.max_attempts = 1});
  EXPECT_EQ(run_in_processes(), 1U);
  const auto error = show(id).past.at(0).error;
  ASSERT_TRUE(error);
  EXPECT_EQ(error->type, "test.booking_failed");
  EXPECT_EQ(error->code, errc::unavailable);
  EXPECT_EQ(error->chain(), "the booking failed: caused by: no seat left");
  EXPECT_EQ(error->where.rfind("worker ", 0), 0U) << error->where;
// Sanitizers watch throws themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_FALSE(error->stack.empty());
#endif
  EXPECT_THROW(error->raise(), booking_failed);
}

TEST_P(jobs_processes, that_are_all_taken_spend_no_attempt) {
  const job_id id = queue_->push(survives(1), {.timeout = 20ms});
  run([&] {
    workers::client pool({.min_workers = 1, .max_workers = 1});
    workers::worker_runner runner(pool);
    auto held = pool.checkout();
    held.call(closure{[] {}});
    worker_options options;
    options.workers = &runner;
    worker one(*queue_, app_, quiet(options));
    EXPECT_EQ(one.run_due(), 1U);
  });
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::refused);
  EXPECT_EQ(job.past.at(0).error->code, errc::deadline_exceeded);
}

TEST_P(jobs_processes, without_a_service_of_the_closure_keep_the_job) {
  const job_id id = queue_->push(
      closure{placed_closure<workers_place>(named_closure<"process.lacks">([](booking_failed&) {}))});
  EXPECT_EQ(run_in_processes(), 1U);
  EXPECT_EQ(show(id).state, job_state::scheduled);
  EXPECT_EQ(show(id).attempts, 0);
  EXPECT_NE(show(id).past.at(0).error->message.find("booking_failed"), std::string::npos);
}

TEST_P(jobs_processes, run_200_jobs_of_which_some_kill_theirs) {
  constexpr int count = 200;
  std::vector<closure<int>> all;
  for (int i = 0; i < count; ++i) all.push_back(survives(i));
  const auto ids = queue_->push_many(all);
  const workers::client_options how{.max_workers = 4, .max_waiting = count};
  worker_options options;
  options.concurrency = 50;
  EXPECT_EQ(run_in_processes(how, options), 200U);
  EXPECT_EQ(last_.crashed, 20U);
  clock_.advance(1s);
  EXPECT_EQ(run_in_processes(how, options), 20U);
  for (int i = 0; i < count; ++i) {
    const auto job = show(ids[static_cast<std::size_t>(i)]);
    EXPECT_EQ(queue_->result<int>(job.id), i);
    EXPECT_EQ(job.crashes, i % 10 == 0 ? 1 : 0);
  }
}

}  // namespace
}  // namespace weft::jobs::in_processes

int main(int argc, char** argv) {
  return weft::main(argc, argv, weft::jobs::in_processes::set_up, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
