#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include <unistd.h>

#include <weft/fiber/fiber.hpp>
#include <weft/jobs/job_given_up.hpp>
#include <weft/log/log.hpp>
#include <weft/workers/client.hpp>
#include <weft/workers/main.hpp>
#include <weft/workers/runner.hpp>

#include "jobs/jobs_fixture.hpp"

// Attempts in worker processes, on both stores.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr run_place workers_place = run_place::workers;

struct booking_failed : error {
  explicit booking_failed(std::string message) : error(errc::unavailable, std::move(message)) {}
};

/// A service that only worker processes have.
struct of_the_process {
  int pid = static_cast<int>(::getpid());
};

void set_up(services& provided, workers::interfaces&) {
  register_error<booking_failed>("test.booking_failed");
  add_control(provided);
  provided.add<of_the_process>([] { return of_the_process{}; });
}

[[noreturn]] void die_by(int signal) {
  std::signal(signal, SIG_DFL);  // sanitizers handle some
  ::raise(signal);
  std::abort();
}

// Keeps the compiler from turning the recursion into a loop.
volatile int depth_max = 1'000'000'000;
int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  return depth < depth_max ? recurse(depth + 1) + frame[0] : 0;
}

/// For ever, without a wait.
[[noreturn]] void spin() {
  // The thread sanitizer lets signals through in calls that it knows.
  for (;;) static_cast<void>(std::chrono::steady_clock::now());
}

/// Says its pid, and goes on until it is killed.
closure<> never_ends() {
  return closure{placed_closure<workers_place>(named_closure<"process.never_ends">([](control& job) {
    std::signal(SIGTERM, SIG_IGN);
    job.progress(::getpid(), ::getpid());
    spin();
  }))};
}

/// Says its pid, and goes on until a signal ends it.
closure<> until_a_signal() {
  return closure{placed_closure<workers_place>(named_closure<"process.until_a_signal">([](control& job) {
    job.progress(::getpid(), ::getpid());
    spin();
  }))};
}

closure<> dies(std::string how) {
  return closure{placed_closure<workers_place>(named_closure<"process.dies">([](std::string way) {
                   std::fprintf(stderr, "about to die by %s\n", way.c_str());
                   if (way == "exit") ::_exit(3);
                   if (way == "overflow") std::exit(recurse(0));
                   if (way == "term") die_by(SIGTERM);
                   die_by(way == "abort" ? SIGABRT : SIGSEGV);
                 })),
                 std::move(how)};
}

/// Of each tenth the process dies behind the first step, once.
closure<int> survives(int number) {
  return closure{placed_closure<workers_place>(named_closure<"process.survives">([](control& job, int of) {
                   const auto begun_in = job.checkpoint("begun", [] { return ::getpid(); });
                   if (of % 10 == 0 && begun_in == ::getpid()) die_by(SIGKILL);
                   return of;
                 })),
                 number};
}

class jobs_processes : public jobs_fixture, public testing::WithParamInterface<const char*> {
 protected:
  jobs_processes() {
    if (GetParam() == std::string_view("memory")) {
      queue_.emplace("memory:", queue_options{.keys = keys_, .clock = &clock_});
    }
  }

  /// Runs what is due in processes of a pool.
  std::size_t run_in_processes(workers::client_options how = {}, worker_options options = {}) {
    how.min_workers = 1;
    const workers::client pool(how);
    workers::worker_runner runner(pool);
    options.workers = &runner;
    return run_due(options);
  }

  /// Runs `body` beside a worker with processes.
  void beside_worker(worker_options options, const std::function<void()>& body,
                     std::chrono::milliseconds stop_grace = 20ms) {
    workers::client pool({.min_workers = 1, .timeout = std::nullopt, .stop_grace = stop_grace});
    pool.call(closure{[] {}});  // the first process is there: timeouts are of attempts
    workers::worker_runner runner(pool);
    options.workers = &runner;
    options.heartbeat = 5ms;
    run(
        [&] {
          worker one(*queue_, app_, quiet(options));
          auto working = go([&] { one.run(); });
          body();
          one.stop();
          working.join();
        },
        with_room_for_sanitizers());
  }

  /// The process that runs a job of never_ends().
  pid_t process_of(job_id id) {
    for (;;) {
      if (const auto at = show(id).progress) return static_cast<pid_t>(at->done);
      sleep_for(1ms);
    }
  }
  static bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

  void wait_for(job_id id, job_state state) {
    while (show(id).state != state) sleep_for(1ms);
  }
};

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
    EXPECT_EQ(attempt.error->code, errc::worker_died);
    EXPECT_NE(attempt.error->message.find(ways[i].second), std::string::npos) << attempt.error->message;
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
  EXPECT_EQ(job.past.at(0).error->code, errc::worker_died);
  EXPECT_NE(job.past.at(0).error->message.find("SIGTERM"), std::string::npos);
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
  EXPECT_NE(job.past.at(0).error->message.find("SIGKILL"), std::string::npos);
}

TEST_P(jobs_processes, that_ignore_their_timeout_are_killed_and_the_attempt_has_failed) {
  const job_id id = queue_->push(never_ends(), {.max_attempts = 100, .timeout = 300ms});
  std::string message;
  // On a busy machine the time may be up before the function ignores signals.
  for (int tries = 0; tries < 50 && message.find("SIGKILL") == std::string::npos; ++tries) {
    clock_.advance(2h);
    EXPECT_EQ(run_in_processes(), 1U);
    message = show(id).past.back().error->message;
  }
  EXPECT_NE(message.find("SIGKILL"), std::string::npos) << message;
  const auto job = show(id);
  EXPECT_GE(job.attempts, 1);
  EXPECT_EQ(job.crashes, 0);
  EXPECT_EQ(job.past.back().outcome, attempt_outcome::failed);
  EXPECT_EQ(job.past.back().error->code, errc::deadline_exceeded);
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
}  // namespace weft::jobs

int main(int argc, char** argv) {
  return weft::main(argc, argv, weft::jobs::set_up, [&] {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  });
}
