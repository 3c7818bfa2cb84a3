#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <weft/closure/registry.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/log/collector.hpp>

#include "jobs/jobs_fixture.hpp"
#include "jobs/pool_runner.hpp"
#include "store_contract/lose_worker.hpp"
#include "support/closure_runner_contract.hpp"

// Where attempts run, as closures and workers say it: on fibers and on pools.

namespace runner_contract {

// With the services of its runs, which outlive it.
class pool_with_services final : public weft::closure_runner {
 public:
  pool_with_services() : threads_(weft::thread_pool_options::fixed(2)), runner_(app_, threads_) {
    setup(app_);
  }
  weft::closure_outcome run(const weft::closure_request& request) override { return runner_.run(request); }
  std::string_view name() const noexcept override { return runner_.name(); }

 private:
  weft::services app_;
  weft::thread_pool threads_;
  weft::jobs::pool_runner runner_;
};

INSTANTIATE_TEST_SUITE_P(on_a_pool, closure_runner_contract,
                         testing::Values(maker{"on_a_pool",
                                               [] { return std::make_unique<pool_with_services>(); }}));

}  // namespace runner_contract

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

/// Which thread ran what.
struct threads_seen {
  std::mutex mutex;
  std::map<std::string, std::thread::id> of;
  std::atomic<int> inside{0};
  event started;
  event may_end;
  event started_again;
  event may_end_again;
  std::atomic<bool> was_cancelled{false};

  void note(const std::string& what) {
    const std::lock_guard lock(mutex);
    of[what] = std::this_thread::get_id();
  }
};

class jobs_places : public jobs_fixture {
 protected:
  jobs_places() { app_.provide(seen_); }
  bool ran_here(const std::string& what) { return seen_.of.at(what) == std::this_thread::get_id(); }

  threads_seen seen_;
};

closure<> unsaid(std::string what) {
  return closure{named_closure<"places.unsaid">([](threads_seen& seen, std::string of) { seen.note(of); }),
                 std::move(what)};
}

closure<> on_fiber() {
  return closure{placed_closure<run_place::fiber>(
      named_closure<"places.fiber">([](threads_seen& seen) { seen.note("fiber"); }))};
}

closure<> on_pool() {
  return closure{named_closure<"places.pool">(
      placed_closure<run_place::pool>([](threads_seen& seen) { seen.note("pool"); }))};
}

closure<> in_workers() {
  return closure{placed_closure<run_place::workers>(
      named_closure<"places.workers">([](threads_seen& seen) { seen.note("workers"); }))};
}

closure<> wait_on_pool() {
  return closure{placed_closure<run_place::pool>(named_closure<"places.wait">([](threads_seen& seen) {
    seen.started.set();
    try {
      seen.may_end.wait();
    } catch (const cancelled&) {
      seen.was_cancelled = true;
      throw;
    }
  }))};
}

/// The first run gives up for nobody.
closure<> runs_twice_at_once() {
  return closure{placed_closure<run_place::pool>(named_closure<"places.twice">([](threads_seen& seen) {
    if (seen.inside++ == 0) {
      seen.started.set();
      shield([&] { seen.may_end.wait(); });
    } else {
      seen.started_again.set();
      seen.may_end_again.wait();
    }
  }))};
}

TEST(placed_closure, is_the_same_closure_and_is_listed_with_its_place) {
  const auto place_of = [](const closure<>& what) {
    return closure_registry::find(what.identity().text())->runs_in;
  };
  EXPECT_EQ(place_of(unsaid("")), run_place::unsaid);
  EXPECT_EQ(place_of(on_fiber()), run_place::fiber);
  EXPECT_EQ(place_of(on_pool()), run_place::pool);
  EXPECT_EQ(place_of(in_workers()), run_place::workers);
  EXPECT_EQ(in_workers().identity().text(), "places.workers()");
  const closure<> unnamed{placed_closure<run_place::pool>([](int) {}), 1};
  EXPECT_EQ(place_of(unnamed), run_place::pool);
  EXPECT_EQ(to_string(run_place::workers), "workers");
}

TEST_F(jobs_places, the_closure_says_it_else_the_queue_else_the_worker) {
  queue_->push(on_fiber());
  queue_->push(on_pool());
  queue_->push(unsaid("default"));
  queue_->push(unsaid("calm"), {.queue = "calm"});
  queue_->push(unsaid("busy"), {.queue = "busy"});
  worker_options options;
  options.queues = {"default"};
  options.weighted = {{"calm", 1}, {"busy", 1}};
  options.place = run_place::pool;
  options.place_of_queue = {{"calm", run_place::fiber}, {"busy", run_place::unsaid}};
  EXPECT_EQ(run_due(options), 5U);
  EXPECT_TRUE(ran_here("fiber"));
  EXPECT_FALSE(ran_here("pool"));
  EXPECT_FALSE(ran_here("default"));
  EXPECT_TRUE(ran_here("calm"));
  EXPECT_FALSE(ran_here("busy"));
}

TEST_F(jobs_places, a_worker_without_processes_leaves_their_closures_to_others_and_says_so) {
  const job_id id = queue_->push(in_workers());
  log::collector gathered({.pass_on = false});
  EXPECT_EQ(run_due(), 0U);
  EXPECT_EQ(last_.unroutable, 1U);
  EXPECT_EQ(show(id).state, job_state::ready);
  EXPECT_TRUE(show(id).past.empty());
  std::ptrdiff_t said = 0;
  for (const auto& record : gathered.take_all().records) {
    said += std::count(record.fields.begin(), record.fields.end(), log::field{"closure", "places.workers"});
  }
  EXPECT_EQ(said, 1);
}

TEST_F(jobs_places, services_are_missed_only_where_a_queue_runs_here) {
  services none;
  in_place_runner elsewhere(app_);
  const auto has_warned = [&](run_place place, std::optional<run_place> of_queue) {
    worker_options options;
    options.workers = &elsewhere;
    options.place = place;
    if (of_queue) options.place_of_queue = {{"default", *of_queue}};
    log::collector gathered({.pass_on = false});
    run([&] { worker one(*queue_, none, quiet(options)); });
    const auto records = gathered.take_all().records;
    return std::any_of(records.begin(), records.end(), [](const log::record& one) {
      return std::any_of(one.fields.begin(), one.fields.end(), [](const log::field& of) {
        const auto* const text = std::get_if<std::string>(&of.value);
        return text != nullptr && text->find("places.unsaid") != std::string::npos;
      });
    });
  };
  EXPECT_TRUE(has_warned(run_place::workers, run_place::fiber));
  EXPECT_TRUE(has_warned(run_place::fiber, std::nullopt));
  EXPECT_FALSE(has_warned(run_place::workers, std::nullopt));
  EXPECT_FALSE(has_warned(run_place::workers, run_place::unsaid));
  EXPECT_FALSE(has_warned(run_place::fiber, run_place::workers));
}

TEST_F(jobs_places, queues_for_processes_without_any_and_queues_that_are_not_served_are_refused) {
  const auto refusal_of = [&](const worker_options& options) {
    try {
      run_due(options);
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::invalid_argument);
      return refused.message();
    }
    return std::string();
  };
  worker_options all;
  all.place = run_place::workers;
  EXPECT_NE(refusal_of(all).find("worker_options::workers"), std::string::npos);
  worker_options one;
  one.place_of_queue = {{"default", run_place::workers}};
  EXPECT_NE(refusal_of(one).find("\"default\""), std::string::npos);
  worker_options other;
  other.place_of_queue = {{"defualt", run_place::pool}};
  EXPECT_NE(refusal_of(other).find("\"defualt\""), std::string::npos);
}

TEST_F(jobs_places, the_control_works_from_a_thread) {
  const closure work{placed_closure<run_place::pool>(named_closure<"places.control">([](control& job) {
    job.progress(1, 2);
    if (job.checkpoint("first", [&] { return job.attempt(); }) != 1) throw error(errc::internal, "again");
    if (!job.still_mine()) throw error(errc::internal, "lost");
    if (job.attempt() == 1) throw std::runtime_error("not yet");
    job.backoff(1);
  }))};
  const job_id id = queue_->push(work);
  EXPECT_EQ(run_due(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(run_due(), 1U);
  const auto job = show(id);
  ASSERT_EQ(job.past.size(), 2U);
  EXPECT_EQ(job.past[0].error->message, "not yet");
  EXPECT_EQ(job.past[1].outcome, attempt_outcome::delayed);
  EXPECT_EQ(job.backoffs, 1);
}

TEST_F(jobs_places, a_wait_on_a_pool_ends_at_the_timeout_of_the_attempt) {
  const job_id id = queue_->push(wait_on_pool(), {.timeout = 30ms});
  // On a busy machine the time may be up before a thread is there; then it is not begun.
  for (int tries = 0; tries < 50 && !seen_.was_cancelled; ++tries) {
    clock_.advance(1h);
    EXPECT_EQ(run_due(), 1U);
  }
  EXPECT_TRUE(seen_.was_cancelled);
  EXPECT_EQ(show(id).attempts, 1);
  EXPECT_EQ(show(id).past.back().error->code, errc::deadline_exceeded);
}

TEST_F(jobs_places, a_stopping_worker_cancels_what_runs_on_a_pool) {
  job_id id{};
  run([&] {
    worker_options options;
    options.stop_grace = 1ms;
    worker one(*queue_, app_, quiet(options));
    auto working = go([&] { one.run(); });
    id = queue_->push(wait_on_pool());
    seen_.started.wait();
    one.stop();
    working.join();
  });
  EXPECT_TRUE(seen_.was_cancelled);
  EXPECT_EQ(show(id).state, job_state::ready);
  EXPECT_EQ(show(id).past.at(0).outcome, attempt_outcome::cancelled);
}

TEST_F(jobs_places, a_worker_that_was_taken_for_dead_may_have_two_attempts_of_one_job) {
  const job_id id = queue_->push(runs_twice_at_once());
  run([&] {
    worker_options options;
    options.poll_interval = 1ms;
    worker one(*queue_, app_, quiet(options));
    auto working = go([&] { one.run(); });
    seen_.started.wait();
    store_contract_support::lose_worker(queue_->kept_in(), one.id(), clock_.now(), 3);
    seen_.started_again.wait();
    seen_.may_end.set();
    while (one.statistics().stale == 0) sleep_for(1ms);
    seen_.may_end_again.set();
    queue_->wait<void>(id);
    one.stop();
    working.join();
    last_ = one.statistics();
  });
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(last_.done, 1U);
  EXPECT_EQ(last_.failed, 0U);
}

TEST_F(jobs_places, a_pool_that_is_closed_runs_nothing) {
  thread_pool closed(thread_pool_options::single());
  closed.close();
  const job_id id = queue_->push(on_pool());
  worker_options options;
  options.pool = closed;
  EXPECT_EQ(run_due(options), 1U);
  EXPECT_TRUE(seen_.of.empty());
  EXPECT_NE(show(id).state, job_state::done);
}

/// A pool that others have filled, until they are let go.
struct full_pool {
  event may_end;
  thread_pool pool{{.threads = 1, .queue_max = 1}};
  std::vector<future<void>> others;

  full_pool() {
    event has_begun;
    others.push_back(pool.submit([&] {
      has_begun.set();
      may_end.wait();
    }));
    has_begun.wait();
    others.push_back(pool.submit([] {}));
  }
  void let_go() {
    may_end.set();
    for (auto& one : others) one.get();
  }
};

TEST_F(jobs_places, a_pool_that_others_have_filled_is_waited_for) {
  full_pool shared;
  const job_id id = queue_->push(on_pool());
  worker_options options;
  options.pool = shared.pool;
  run([&] {
    worker one(*queue_, app_, quiet(options));
    auto working = go([&] { EXPECT_EQ(one.run_due(), 1U); });
    while (one.statistics().done == 0 && show(id).state != job_state::running) sleep_for(1ms);
    shared.let_go();
    working.join();
  });
  EXPECT_EQ(show(id).state, job_state::done);
  EXPECT_EQ(show(id).past.size(), 1U) << "it was not put off";
}

TEST_F(jobs_places, a_wait_for_room_in_a_pool_ends_at_the_deadline_and_when_cancelled) {
  full_pool shared;
  pool_runner runner(app_, shared.pool);
  closure_request request;
  request.identity = on_pool().identity().text();
  request.deadline = deadline_after(20ms);
  const closure_outcome outcome = runner.run(request);
  EXPECT_EQ(outcome.fault, run_fault::not_begun);
  EXPECT_EQ(outcome.error.value().code, errc::deadline_exceeded);
  run([&] {
    request.deadline = no_deadline;
    auto waits = go([&] { EXPECT_THROW(runner.run(request), cancelled); });
    yield();
    waits.cancel();
    waits.join();
  });
  shared.let_go();
  EXPECT_TRUE(seen_.of.empty());
}

TEST_F(jobs_places, what_stands_in_line_past_its_time_is_not_begun) {
  thread_pool one_thread(thread_pool_options::single());
  pool_runner runner(app_, one_thread);
  closure_request request;
  request.identity = on_pool().identity().text();
  request.deadline = deadline_after(20ms);
  auto held = one_thread.submit([&] { std::this_thread::sleep_until(request.deadline); });
  const closure_outcome outcome = runner.run(request);
  held.get();
  EXPECT_TRUE(seen_.of.empty());
  EXPECT_EQ(outcome.fault, run_fault::not_begun);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, errc::deadline_exceeded);
}

TEST_F(jobs_places, blocked_threads_hold_no_other_attempt_up) {
  // Each waits until all are there: that takes a thread for each.
  const closure meets{placed_closure<run_place::pool>(named_closure<"places.meets">([](threads_seen& seen) {
    ++seen.inside;
    while (seen.inside < 8) std::this_thread::yield();
  }))};
  for (int i = 0; i < 8; ++i) queue_->push(meets);
  worker_options options;
  options.concurrency = 8;
  EXPECT_EQ(run_due(options), 8U);
  EXPECT_EQ(queue_->stats()[0].done, 8);
}

}  // namespace
}  // namespace weft::jobs
