#include "jobs/jobs_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/log.hpp>

#include "jobs/job_envelope.hpp"
#include "store_contract/lose_worker.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

constexpr key_spec request_spec{.name = "test.request", .wire = wire_policy::job, .log = true};
const key<std::string> request_id{request_spec};
constexpr key_spec secret_spec{.name = "test.process_only"};
const key<std::string> process_only{secret_spec};

/// What the closures of these tests write down.
struct notes {
  std::vector<std::string> lines;
  event started;
  event may_end;
  bool was_cancelled = false;
};

struct absent_service {};

class jobs_worker : public jobs_fixture {
 protected:
  jobs_worker() { app_.provide(notes_); }

  /// Pushes what somebody with the key signed.
  void push_sealed(const job_envelope& job) {
    const new_job one{job.id, job.queue, job.closure, seal(*keys_, job), 0, job.created, job.created};
    queue_->kept_in().push({&one, 1});
  }

  notes notes_;
};

closure<> note(std::string text) {
  return closure{
      named_closure<"test.note">([](notes& into, std::string line) { into.lines.push_back(line); }),
      std::move(text)};
}

closure<> fail_until(int attempt) {
  return closure{named_closure<"test.fail_until">([](control& job, int succeeds_at) {
                   log::info("tried", {{"attempt", job.attempt()}});
                   if (job.attempt() >= succeeds_at) return;
                   try {
                     throw std::out_of_range("no seat left");
                   } catch (...) {
                     std::throw_with_nested(error(errc::unavailable, "the booking failed"));
                   }
                 }),
                 attempt};
}

closure<> back_off(int max_exponent) {
  return closure{named_closure<"test.back_off">([](notes& into, control& job, int exponent) {
                   into.lines.push_back("run");
                   job.backoff(exponent, std::make_exception_ptr(std::runtime_error("still closed")));
                 }),
                 max_exponent};
}

closure<> wait_in_job() {
  return closure{named_closure<"test.wait">([](notes& into) {
    into.started.set();
    try {
      into.may_end.wait();
    } catch (const cancelled&) {
      into.was_cancelled = true;
      throw;
    }
  })};
}

TEST_F(jobs_worker, a_pushed_closure_runs_with_its_services_and_is_done) {
  const job_id id = queue_->push(note("hello"));
  EXPECT_EQ(show(id).state, job_state::ready);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, std::vector<std::string>{"hello"});
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(job.closure, "test.note(str)");
  EXPECT_NE(job.source.find("worker.cpp"), std::string::npos);
  ASSERT_EQ(job.past.size(), 1U);
  EXPECT_EQ(job.past[0].outcome, attempt_outcome::done);
  EXPECT_EQ(run_due(), 0U);
}

TEST_F(jobs_worker, push_many_pushes_in_order) {
  const auto ids = queue_->push_many(std::vector{note("1"), note("2"), note("3")});
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_LT(ids[0], ids[1]);
  worker_options one_at_a_time;
  one_at_a_time.concurrency = 1;
  EXPECT_EQ(run_due(one_at_a_time), 3U);
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(jobs_worker, one_that_is_told_to_stop_leaves_what_falls_due_meanwhile) {
  struct ending {
    set_clock& clock;
    worker* self = nullptr;
  } end{clock_};
  app_.provide(end);
  queue_->push(closure{[](ending& all) {
    all.self->stop();
    all.clock.advance(5min);
  }});
  const job_id later = queue_->push(note("later"), {.delay = 1min});
  run(
      [&] {
        worker one(*queue_, app_, quiet({}));
        end.self = &one;
        EXPECT_EQ(one.run_due(), 1U);
      },
      with_room_for_sanitizers());
  EXPECT_EQ(show(later).state, job_state::scheduled);
}

TEST_F(jobs_worker, a_delayed_job_runs_when_its_moment_has_come) {
  push_options options;
  options.delay = 5min;
  const job_id id = queue_->push(note("later"), options);
  EXPECT_EQ(run_due(), 0U);
  clock_.advance(5min - 1us);
  EXPECT_EQ(run_due(), 0U);
  clock_.advance(1us);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::done);
}

TEST_F(jobs_worker, failures_are_tried_again_by_the_exact_schedule_with_error_and_log_kept) {
  const job_id id = queue_->push(fail_until(4));
  for (const auto wait : {0s, 1s, 2s, 4s}) {
    if (wait > 0s) {
      clock_.advance(wait - 1us);
      EXPECT_EQ(run_due(), 0U) << wait.count();
      clock_.advance(1us);
    }
    EXPECT_EQ(run_due(), 1U) << wait.count();
  }
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::done);
  EXPECT_EQ(job.attempts, 3);
  ASSERT_EQ(job.past.size(), 4U);
  EXPECT_EQ(job.past[1].attempt, 2);
  ASSERT_TRUE(job.past[1].error);
  EXPECT_EQ(job.past[1].error->code, errc::unavailable);
  EXPECT_EQ(job.past[1].error->message, "the booking failed");
  ASSERT_EQ(job.past[1].error->causes.size(), 1U);
  EXPECT_EQ(job.past[1].error->causes[0].message, "no seat left");
  const auto& records = job.past[1].log.records;
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].message, "tried");
  EXPECT_EQ(records[1].level, log::level::critical);
  EXPECT_EQ(records[1].fields[0], (log::field{"job", to_string(id)}));
  EXPECT_FALSE(job.past[3].error);
}

TEST_F(jobs_worker, the_last_failure_makes_the_job_dead_and_a_person_can_retry_it) {
  push_options options;
  options.max_attempts = 2;
  const job_id id = queue_->push(fail_until(3), options);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::dead);
  EXPECT_EQ(last_.dead, 1U);
  clock_.advance(24h);
  EXPECT_EQ(run_due(), 0U);
  EXPECT_TRUE(queue_->retry(id));
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).past.size(), 3U);
}

TEST_F(jobs_worker, backoff_waits_1_2_4_8_16_32_seconds_and_then_gives_up_with_the_last_error) {
  const job_id id = queue_->push(back_off(5));
  EXPECT_EQ(run_due(), 1U);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s}) {
    EXPECT_EQ(show(id).state, job_state::scheduled);
    clock_.advance(wait - 1us);
    EXPECT_EQ(run_due(), 0U) << wait.count();
    clock_.advance(1us);
    EXPECT_EQ(run_due(), 1U) << wait.count();
  }
  const auto job = show(id);
  EXPECT_EQ(notes_.lines.size(), 7U) << "the first run and six more";
  EXPECT_EQ(job.state, job_state::dead);
  EXPECT_EQ(job.attempts, 1) << "asking for another time spends no attempt";
  const auto& last = job.past.back();
  EXPECT_EQ(last.error->type, "weft.jobs.retries_exceeded");
  ASSERT_EQ(last.error->causes.size(), 1U);
  EXPECT_EQ(last.error->causes[0].message, "still closed");
  EXPECT_TRUE(job.past.front().log.records.empty()) << "a wish for another time is no critical record";
}

TEST_F(jobs_worker, backoff_with_jitter_waits_within_its_bound_and_the_same_for_the_same_seed) {
  const closure spread{named_closure<"test.spread">([](control& job) { job.backoff(9, {.jitter = 0.5}); })};
  const auto waits_with = [&](std::uint64_t seed) {
    queue_.emplace("memory:", queue_options{.keys = keys_, .clock = &clock_, .jitter_seed = seed});
    std::vector<std::chrono::microseconds> waits;
    const job_id id{42};
    job_envelope job;
    job.id = id;
    job.queue = "default";
    job.closure = spread.identity().text();
    job.arguments = "[]";
    job.created = job.not_before = clock_.now();
    push_sealed(job);
    for (int run = 0; run < 10; ++run) {
      EXPECT_EQ(run_due(), 1U);
      waits.push_back(show(id).run_at - clock_.now());
      clock_.advance(waits.back());
    }
    return waits;
  };
  const auto waits = waits_with(7);
  std::chrono::microseconds exact = 1s;
  for (std::size_t run = 0; run < waits.size(); ++run, exact *= 2) {
    EXPECT_GE(waits[run], exact) << run;
    EXPECT_LE(waits[run], exact + exact / 2) << run;
  }
  EXPECT_NE(waits[0] * 2, waits[1]) << "each run draws anew";
  EXPECT_EQ(waits_with(7), waits);
  EXPECT_NE(waits_with(8), waits);
}

TEST_F(jobs_worker, an_attempt_sees_what_the_one_before_ended_with) {
  const closure looks{named_closure<"test.sees_last">([](notes& into, control& job) {
    const auto before = job.last_error();
    into.lines.push_back(before ? before->type + ": " + before->chain() : "nothing");
    switch (into.lines.size()) {
      case 1:
        throw error(errc::unavailable, "no answer");
      case 2:
        return job.backoff(3, std::make_exception_ptr(retries_exceeded("told to stop")));
      case 3:
        return job.delay(1s);
      default:
        break;
    }
  })};
  const job_id id = queue_->push(looks);
  const moment first = clock_.now();
  for (int run = 0; run < 4; ++run, clock_.advance(5s)) EXPECT_EQ(run_due(), 1U) << run;
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"nothing", "weft.error: no answer",
                                                    "weft.jobs.retries_exceeded: told to stop", "nothing"}));
  ASSERT_EQ(show(id).past.size(), 4U);
  EXPECT_EQ(show(id).past[1].outcome, attempt_outcome::delayed);
  EXPECT_EQ(show(id).past[1].error->message, "told to stop") << "kept with the attempt, too";
  EXPECT_EQ(show(id).past[0].started, first);
}

TEST_F(jobs_worker, the_error_of_an_attempt_whose_worker_died_says_so) {
  const closure looks{named_closure<"test.looks_back">(
      [](notes& into, control& job) { into.lines.push_back(job.last_error().value().message); })};
  const job_id id = queue_->push(looks);
  const worker_row dead{.id = worker_id{7}, .host = "elsewhere", .pid = 1, .pid_started = 1, .build = ""};
  auto& kept_in = queue_->kept_in();
  run([&] {
    kept_in.add_worker(dead);
    kept_in.claim({.owner = dead.id, .queues = {"default"}, .now = clock_.now(), .routable = {}});
    EXPECT_EQ(kept_in.rescue(kept_in.workers().at(0), clock_.now(), 3), 1U);
  });
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, std::vector<std::string>{"jobs: run job " + to_string(id) + ": its worker died"});
}

TEST_F(jobs_worker, odd_backoffs_are_refused) {
  const closure odd{named_closure<"test.odd">([](control& job, int base, double jitter) {
                      job.backoff(2, {.base = base, .jitter = jitter});
                    }),
                    2, 1.5};
  push_options once;
  once.max_attempts = 1;
  const job_id id = queue_->push(odd, once);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).past.back().error->code, errc::invalid_argument);
}

TEST_F(jobs_worker, delay_spends_no_attempt_and_the_last_wish_holds) {
  const closure delays{named_closure<"test.delays">([](notes& into, control& job) {
    into.lines.push_back(std::to_string(job.attempt()));
    if (into.lines.size() > 1) return;
    job.delay(1h);
    job.delay(5min);
  })};
  const job_id id = queue_->push(delays);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(5min);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"1", "1"}));
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(show(id).past[0].outcome, attempt_outcome::delayed);
}

TEST_F(jobs_worker, an_exception_after_a_wish_overrides_it) {
  const closure both{named_closure<"test.both">([](control& job) {
    job.delay(1h);
    throw std::runtime_error("failed all the same");
  })};
  const job_id id = queue_->push(both);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).attempts, 1);
  EXPECT_EQ(show(id).run_at, clock_.now() + 1s);
}

TEST_F(jobs_worker, context_marked_for_jobs_is_there_at_each_attempt_and_in_its_log) {
  const closure reads{named_closure<"test.reads">([](notes& into, control& job) {
    into.lines.push_back(request_id.value_or("none") + " " + process_only.value_or("none"));
    log::info("read");
    if (job.attempt() == 1) throw std::runtime_error("again");
  })};
  job_id id{};
  {
    const scoped_value first(request_id, "r-17");
    const scoped_value second(process_only, "mine");
    id = queue_->push(reads);
  }
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"r-17 none", "r-17 none"}));
  for (const auto& attempt : show(id).past) {
    ASSERT_FALSE(attempt.log.records.empty());
    const std::vector<log::context_field> expected{{"test.request", "r-17"},
                                                   {"weft.attempt", std::to_string(attempt.attempt)},
                                                   {"weft.job", to_string(id)}};
    for (const auto& record : attempt.log.records) EXPECT_EQ(record.context, expected) << record.message;
  }
}

TEST_F(jobs_worker, an_attempt_past_its_timeout_is_given_up_and_counts_as_failed) {
  push_options options;
  options.timeout = 10ms;
  const job_id id = queue_->push(wait_in_job(), options);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_TRUE(notes_.was_cancelled);
  EXPECT_EQ(show(id).past[0].error->code, errc::deadline_exceeded);
  EXPECT_EQ(show(id).attempts, 1);
}

TEST_F(jobs_worker, a_closure_of_another_program_stays_ready_and_is_counted) {
  job_envelope unknown = unseal(*keys_, queue_->kept_in().find(queue_->push(note("x")))->envelope);
  unknown.id = job_id{77};
  unknown.closure = "test.of_another_program(str)";
  push_sealed(unknown);
  EXPECT_EQ(run_due(), 1U) << "only the known one";
  EXPECT_EQ(last_.unroutable, 1U);
  EXPECT_EQ(queue_->unroutable(), 1);
  EXPECT_EQ(show(unknown.id).state, job_state::ready);
  EXPECT_TRUE(show(unknown.id).past.empty());
}

TEST_F(jobs_worker, arguments_that_do_not_fit_are_refused_with_both_schemas_and_the_job_is_kept) {
  const job_id id = queue_->push(note("x"));
  job_envelope changed = unseal(*keys_, queue_->kept_in().find(id)->envelope);
  changed.id = job_id{77};
  changed.closure = "test.note(i64)";
  changed.arguments = "[5]";
  push_sealed(changed);
  EXPECT_EQ(run_due(), 2U);
  const auto job = show(job_id{77});
  EXPECT_EQ(job.state, job_state::scheduled);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.past[0].outcome, attempt_outcome::refused);
  EXPECT_NE(job.past[0].error->message.find("(i64)"), std::string::npos) << job.past[0].error->message;
  EXPECT_NE(job.past[0].error->message.find("(str)"), std::string::npos) << job.past[0].error->message;
}

TEST_F(jobs_worker, a_missing_service_keeps_the_job) {
  const closure asks{named_closure<"test.asks">([](absent_service&) {})};
  const job_id id = queue_->push(asks);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(show(id).state, job_state::scheduled);
  EXPECT_EQ(show(id).attempts, 0);
}

TEST_F(jobs_worker, an_expired_job_is_not_started) {
  push_options options;
  options.expires = clock_.now() + 1s;
  const job_id id = queue_->push(note("late"), options);
  clock_.advance(2s);
  EXPECT_EQ(run_due(), 0U) << "it is no attempt of the worker";
  EXPECT_TRUE(notes_.lines.empty());
  EXPECT_EQ(show(id).state, job_state::dead);
}

TEST_F(jobs_worker, run_wakes_for_a_push_and_stops_when_asked) {
  run([&] {
    worker one(*queue_, app_, quiet({}));
    auto working = go([&] { one.run(); });
    const job_id id = queue_->push(wait_in_job());
    notes_.started.wait();
    EXPECT_EQ(show(id).state, job_state::running);
    notes_.may_end.set();
    one.stop();
    working.join();
    EXPECT_EQ(show(id).state, job_state::done);
  });
}

TEST_F(jobs_worker, stop_cancels_what_runs_past_its_grace_and_the_job_is_ready_at_once) {
  job_id id{};
  run([&] {
    worker_options options;
    options.stop_grace = 1ms;
    worker one(*queue_, app_, quiet(options));
    auto working = go([&] { one.run(); });
    id = queue_->push(wait_in_job());
    notes_.started.wait();
    one.stop();
    working.join();
  });
  EXPECT_TRUE(notes_.was_cancelled);
  const auto job = show(id);
  EXPECT_EQ(job.state, job_state::ready);
  EXPECT_EQ(job.attempts, 0);
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::cancelled);
  EXPECT_TRUE(queue_->kept_in().workers().empty());
}

TEST_F(jobs_worker, a_cancelled_worker_ends_its_attempts_before_it_leaves) {
  job_id id{};
  run([&] {
    worker one(*queue_, app_, quiet({}));
    auto working = go([&] { one.run(); });
    id = queue_->push(wait_in_job());
    notes_.started.wait();
    working.cancel();
    EXPECT_THROW(working.join(), cancelled);
    EXPECT_TRUE(notes_.was_cancelled);
  });
  EXPECT_EQ(show(id).state, job_state::ready);
}

TEST_F(jobs_worker, cancelling_a_running_job_reaches_it_by_the_heartbeat) {
  job_id id{};
  run([&] {
    worker_options options;
    options.heartbeat = 5ms;
    options.missed_beats_max = 10'000;  // a slow machine makes no dead worker of it
    worker one(*queue_, app_, quiet(options));
    auto working = go([&] { one.run(); });
    id = queue_->push(wait_in_job());
    notes_.started.wait();
    EXPECT_TRUE(queue_->cancel(id));
    while (show(id).state == job_state::running) sleep_for(1ms);
    one.stop();
    working.join();
  });
  EXPECT_TRUE(notes_.was_cancelled);
  EXPECT_EQ(show(id).state, job_state::cancelled);
}

TEST_F(jobs_worker, still_mine_ends_with_the_claim) {
  const closure looks{named_closure<"test.looks">([](notes& into, queue& from, control& job) {
    into.lines.push_back(job.still_mine() ? "mine" : "lost");
    if (into.lines.size() > 2) from.pause();  // so that nobody claims it before it is cancelled
    const auto owner = from.show(job.id())->owner;
    store_contract_support::lose_worker(from.kept_in(), *owner, from.clock().now(), 100);
    into.lines.push_back(job.still_mine() ? "mine" : "lost");
    if (into.lines.size() > 2) from.cancel(job.id());
  })};
  app_.provide(*queue_);
  const job_id id = queue_->push(looks);
  EXPECT_EQ(run_due(), 2U) << "rescued once, it runs again";
  EXPECT_EQ(notes_.lines, (std::vector<std::string>{"mine", "lost", "mine", "lost"}));
  EXPECT_EQ(last_.stale, 2U);
  EXPECT_EQ(show(id).crashes, 2);
}

TEST_F(jobs_worker, two_workers_run_each_job_once) {
  constexpr int count = 60;
  for (int number = 0; number < count; ++number) queue_->push(note(std::to_string(number)));
  run([&] {
    worker first(*queue_, app_, quiet({}));
    worker second(*queue_, app_, quiet({}));
    auto other = go([&] { second.run_due(); });
    first.run_due();
    other.join();
  });
  EXPECT_EQ(notes_.lines.size(), static_cast<std::size_t>(count));
  std::sort(notes_.lines.begin(), notes_.lines.end());
  EXPECT_EQ(std::unique(notes_.lines.begin(), notes_.lines.end()), notes_.lines.end());
}

TEST_F(jobs_worker, weighted_queues_share_a_worker_after_those_with_an_order) {
  for (const char* const name : {"small", "large", "first"}) {
    queue_->push_many(std::vector(20, note(name)), {.queue = name});
  }
  worker_options options;
  options.queues = {"first"};
  options.weighted = {{"small", 1}, {"large", 4}};
  options.concurrency = 1;
  EXPECT_EQ(run_due(options), 60U);
  const auto count = [&](const std::string& name, std::ptrdiff_t from, std::ptrdiff_t to) {
    return std::count(notes_.lines.begin() + from, notes_.lines.begin() + to, name);
  };
  EXPECT_EQ(count("first", 0, 20), 20);
  EXPECT_EQ(count("large", 20, 40), 16);
  EXPECT_EQ(count("small", 20, 40), 4);
}

// A claim promotes so many scheduled jobs at once, of all queues.
TEST_F(jobs_worker, run_due_goes_on_until_nothing_more_is_due) {
  const std::vector others(501, note("other"));
  queue_->push_many(others, {.delay = 1s, .queue = "other"});
  queue_->push(note("own"), {.delay = 2s});
  clock_.advance(3s);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, std::vector<std::string>{"own"});
}

TEST_F(jobs_worker, the_longest_waits_are_a_century) {
  using std::chrono::microseconds;
  const moment in_a_century = clock_.now() + std::chrono::hours(24) * 365 * 100;
  const auto id = queue_->push(note("late"), {.delay = microseconds::max()});
  EXPECT_EQ(show(id).state, job_state::scheduled);
  EXPECT_GT(show(id).run_at, in_a_century);
  push_options unique;
  unique.unique = unique_options{.key = "k", .period = microseconds::max()};
  EXPECT_EQ(queue_->push(note("once"), unique), queue_->push(note("twice"), unique));
  EXPECT_EQ(queue_->purge(microseconds::max()), 0U);
  retry_policy slow;
  slow.first = slow.longest = microseconds::max();
  slow.jitter = 1;
  EXPECT_GT(clock_.now() + slow.wait_after(1000, 1), in_a_century);
  slow.first = microseconds(0);
  EXPECT_EQ(slow.wait_after(10'000, 1), microseconds(0));
}

TEST_F(jobs_worker, jobs_of_a_worker_process_that_died_run_again_at_once) {
  queue_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    open();
    run([&] {
      worker doomed(*queue_, app_, quiet({}));
      queue_->push(note("survived"));
      claim_request claim;
      claim.owner = doomed.id();
      claim.queues = {"default"};
      claim.now = clock_.now();
      if (queue_->kept_in().claim(claim).jobs.size() == 1) ::raise(SIGKILL);
    });
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  open();
  ASSERT_EQ(queue_->list().size(), 1U);
  const job_id id = queue_->list()[0].id;
  EXPECT_EQ(show(id).state, job_state::running);
  EXPECT_EQ(run_due(), 1U);
  EXPECT_EQ(notes_.lines, std::vector<std::string>{"survived"});
  const auto job = show(id);
  EXPECT_EQ(job.crashes, 1);
  EXPECT_EQ(job.past.at(0).outcome, attempt_outcome::crashed);
  EXPECT_EQ(job.past.at(1).outcome, attempt_outcome::done);
}

}  // namespace
}  // namespace weft::jobs
