// The whole queue in the orders of many seeds: producers, three processes with workers on one store, jobs of
// all kinds, and everything that can go wrong around them. First nothing may be broken, whatever happens;
// then, once nothing happens any more, everything must end.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/log/sink.hpp>

#include "jobs/watched_store.hpp"

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using simulation::random;

std::chrono::milliseconds up_to(std::chrono::milliseconds most) {
  return std::chrono::milliseconds(random(static_cast<std::uint64_t>(most.count()) + 1));
}

/// What functions of jobs see of the test.
struct effects {
  const job_ledger& ledger;
  std::map<job_id, int> numbers = {};   // what a step left, as the first attempt behind it saw it
  std::map<moment, job_id> ticks = {};  // the job of each time of the schedule
  std::vector<std::string> broken = {};

  void begins(job_id id) { expect(!ledger.has_ended(id), id, "begins after its end was recorded"); }
  void expect(bool holds, job_id id, const std::string& rule) {
    if (!holds) broken.push_back("job " + to_string(id) + ": " + rule);
  }
};

constexpr auto works = named_closure<"sim.works">([](control& job, effects& seen, int longest_ms) {
  seen.begins(job.id());
  sleep_for(up_to(std::chrono::milliseconds(longest_ms)));
});
constexpr auto works_on_pool =
    named_closure<"sim.works_on_pool">(placed_closure<run_place::pool>([] { sleep_for(up_to(1s)); }));
constexpr auto fails = named_closure<"sim.fails">([](control& job, effects& seen, int times) {
  seen.begins(job.id());
  sleep_for(up_to(100ms));
  if (job.attempt() <= times) throw std::runtime_error("not yet");
});
constexpr auto delays = named_closure<"sim.delays">([](control& job) {
  if (random(3) != 0) job.delay(up_to(3s));
});
constexpr auto backs_off = named_closure<"sim.backs_off">([](control& job) {
  if (random(4) != 0) job.backoff(3, std::make_exception_ptr(std::runtime_error("closed")));
});
constexpr auto hangs_once = named_closure<"sim.hangs_once">([](control& job) {
  if (job.attempt() == 1) sleep_for(1h);
});
constexpr auto steps = named_closure<"sim.steps">([](control& job, effects& seen) {
  const int made = job.checkpoint("number", [] { return static_cast<int>(random(1'000'000)); });
  const int first = seen.numbers.emplace(job.id(), made).first->second;
  seen.expect(first == made, job.id(), "a step that was kept was done again");
  sleep_for(up_to(1s));
  if (random(2) == 0) throw std::runtime_error("after the step");
});

constexpr auto ticks = named_closure<"sim.ticks">([](control& job, effects& seen) {
  const job_id first = seen.ticks.emplace(job.due(), job.id()).first->second;
  seen.expect(first == job.id(), job.id(), "is the second one of a time of its schedule");
});

/// One process: its own way to the store, its own queue and worker.
class process {
 public:
  process(const std::shared_ptr<store>& of, job_ledger& ledger, const watched_store::faults& shared,
          effects& seen, std::shared_ptr<const wire::key_ring> keys, std::string host)
      : store_(std::make_shared<watched_store>(of, ledger, shared, std::move(host))),
        queue_(store_, {.keys = std::move(keys), .max_attempts = 40}) {
    app_.provide(seen);
  }

  /// Works until it is told otherwise; begins again where the store lets it not join.
  void start() {
    worker_.reset();
    while (!worker_) {
      try {
        worker_.emplace(queue_, app_, options());
      } catch (const error&) {
        sleep_for(100ms);
      }
    }
    working_ = go([this] { worker_->run(); });
  }
  void stop() {
    worker_->stop();
    working_.join();
    worker_.reset();
  }
  void kill() {
    store_->kill();
    stop();
  }
  void freeze(std::chrono::milliseconds time) { store_->freeze(steady_clock::now() + time); }
  void freeze_at_claim(std::chrono::milliseconds time) { store_->freeze_at_claim(time); }
  jobs::queue& queue() { return queue_; }

 private:
  static worker_options options() {
    worker_options made;
    made.queues = {"default", "second"};
    made.concurrency = 1 + random(4);
    made.retry = {.longest = 10s, .jitter = 0.5};
    made.crashes_max = 1000;
    made.stop_grace = up_to(2s);
    made.pass_on_logs = false;
    return made;
  }

  std::shared_ptr<watched_store> store_;
  jobs::queue queue_;
  services app_;
  std::optional<worker> worker_;
  fiber<void> working_;
};

class simulated_queue {
 public:
  explicit simulated_queue(bool no_fencing = false) {
    faults_.no_fencing = no_fencing;
    faults_.fails_of_1000 = random(3) * 10;
    faults_.lost_of_1000 = random(3) * 10;
    for (int number = 0; number < 3; ++number) processes_.push_back(new_process());
  }

  void run() {
    for (auto& one : processes_) one->start();
    std::vector<fiber<void>> producers;
    for (int number = 0; number < 3; ++number) producers.push_back(go([this] { produce(); }));
    auto schedule = go([this] { keep_schedule(); });
    harm();
    for (auto& one : producers) one.join();
    schedule.join();
    faults_ = {.no_fencing = faults_.no_fencing};
    wait_for_the_end();
    for (auto& one : processes_) one->stop();
    ledger_.compare_with(*store_);
    for (const auto& one : store_->workers())
      simulation::require(one.running == 0, "nobody is left with a job");
    std::string broken;
    for (const auto& one : ledger_.broken()) broken += "\n  " + one;
    for (const auto& one : seen_.broken) broken += "\n  " + one;
    simulation::require(broken.empty(), "promises of the queue were broken:" + broken);
    simulation::require(each_tick_is_there(), "no time of the schedule is left out");
  }

  const job_ledger& ledger() const { return ledger_; }

 private:
  std::unique_ptr<process> new_process() {
    return std::make_unique<process>(store_, ledger_, faults_, seen_, keys_,
                                     "host " + std::to_string(++hosts_));
  }
  queue& some_queue() { return processes_[random(processes_.size())]->queue(); }

  void produce() {
    for (int number = 0; number < 8; ++number) {
      sleep_for(up_to(4s));
      for (bool is_kept = false; !is_kept;) {
        try {
          push_one(some_queue());
          is_kept = true;
        } catch (const error&) {
          sleep_for(up_to(500ms));
        }
      }
    }
  }

  void push_one(queue& to) {
    switch (random(13)) {
      case 0:
        to.push(closure{works, 2000}, {.delay = up_to(5s), .queue = random(2) == 0 ? "second" : ""});
        return;
      case 1:
        to.push(closure{fails, 2}, {.max_attempts = static_cast<int>(1 + random(5))});
        return;
      case 2:
        to.push(closure{delays});
        return;
      case 3:
        to.push(closure{backs_off});
        return;
      case 4:
        to.push_many(std::vector(3, closure{works, 1000}), {.limit = {{"two", 2, {}}}});
        return;
      case 5:
        to.push_many(std::vector(4, closure{works, 100}),
                     {.limit = {{"slow", 100, is_stopped_long_ ? rate_options{} : rate_options{2, 5s, 1}}}});
        return;
      case 6:
        to.push(closure{works, 500}, {.unique = {{"one", unique_until::ended, up_to(3s)}}});
        return;
      case 7:
        to.push(closure{works, 500}, {.delay = up_to(4s), .expires = to.clock().now() + up_to(8s)});
        return;
      case 8: {
        const job_id first = to.push(closure{works, 1000});
        const job_id second = to.push(closure{fails, 1}, {.after = {first}});
        to.push(closure{works, 100}, {.after_end = {first, second}});
        return;
      }
      case 9:
        to.push_batch(std::vector(3, closure{works, 1000}), closure{works, 10});
        return;
      case 10:  // short ones that are claimed ahead, and then some that take long
        to.push_many(std::vector(30, closure{works, 0}));
        to.push_many(std::vector(8, closure{works, 1000}));
        return;
      case 11:
        to.transact([&](transaction& inside) {
          inside.push(closure{steps});
          inside.push(closure{works_on_pool});
        });
        return;
      default:
        if (to.push(closure{hangs_once}, {.timeout = 2s}); random(2) == 0)
          (void)to.cancel(to.push(closure{works, 2000}));
    }
  }

  /// A minute's schedule, made and ended amid the rest.
  void keep_schedule() {
    const auto insist = [](const std::function<void()>& body) {
      for (;;) {
        try {
          return body();
        } catch (const error&) {
          sleep_for(200ms);
        }
      }
    };
    insist([this] {
      some_queue().schedule("ticks", cron("*/5 * * * * *", time_zone("UTC")), closure{ticks},
                            {.policy = catch_up::all});
    });
    sleep_for(up_to(40s));
    insist([this] { (void)some_queue().unschedule("ticks"); });
  }

  bool each_tick_is_there() const {
    const auto is_gap = [](const auto& one, const auto& next) { return next.first - one.first != 5s; };
    return std::adjacent_find(seen_.ticks.begin(), seen_.ticks.end(), is_gap) == seen_.ticks.end();
  }

  void harm() {
    for (auto round = 3 + random(6); round > 0; --round) {
      sleep_for(up_to(6s));
      auto& one = processes_[random(processes_.size())];
      switch (random(6)) {
        case 0:
          one->kill();
          sleep_for(up_to(15s));
          killed_.push_back(std::exchange(one, new_process()));
          one->start();
          break;
        case 1:
          one->freeze(up_to(is_stopped_long_ ? 30s : 8s));
          break;
        case 2:
          one->freeze_at_claim(up_to(is_stopped_long_ ? 30s : 8s));
          break;
        case 3:
          one->stop();
          one->start();
          break;
        case 4:
          store_->set_paused("default", true);
          sleep_for(up_to(5s));
          store_->set_paused("default", false);
          break;
        default:
          break;
      }
    }
  }

  void wait_for_the_end() {
    const auto waits = [](const queue_stats& one) {
      return one.scheduled + one.ready + one.blocked + one.running > 0;
    };
    const steady_time until = steady_clock::now() + 4h;
    for (;;) {
      const auto all = store_->stats();
      if (std::none_of(all.begin(), all.end(), waits)) return;
      simulation::require(steady_clock::now() < until, "everything ends once nothing happens any more");
      sleep_for(1s);
    }
  }

  job_ledger ledger_;
  watched_store::faults faults_;
  effects seen_{ledger_};
  std::shared_ptr<store> store_ = open_store("memory:");
  std::shared_ptr<const wire::key_ring> keys_ = std::make_shared<wire::key_ring>(wire::key::generate("sim"));
  int hosts_ = 0;
  /// Past its lease, too. A store takes a moment that is long past, which such a process may still bring, for
  /// that of a clock that was set back; it keeps no rates then.
  const bool is_stopped_long_ = random(2) == 0;
  std::vector<std::unique_ptr<process>> processes_;
  std::vector<std::unique_ptr<process>> killed_;  // a producer may still wait in one's store
};

class jobs_simulated : public testing::Test {
 protected:
  jobs_simulated() { log::set_level(log::level::critical); }
  ~jobs_simulated() override { log::set_level(before_); }

  static simulation_options room() { return {.run = {.stack_bytes = 256 * 1024}}; }
  /// Why the seed failed; empty: it did not.
  static std::string failure_without_fencing(std::uint64_t seed, std::uint64_t& trace) {
    try {
      simulate(
          seed, [] { simulated_queue(true).run(); }, room());
    } catch (const simulation_error& failed) {
      trace = failed.run().trace_hash;
      return failed.what();
    }
    return {};
  }

 private:
  const log::level before_ = log::current_level();
};

// WEFT_SEEDS in the environment: that many.
TEST_F(jobs_simulated, every_job_ends_once_in_the_orders_of_many_seeds) {
  std::size_t jobs = 0, acknowledged = 0, claims = 0, stale = 0, lost = 0;
  const auto program = [&] {
    simulated_queue one;
    one.run();
    jobs += one.ledger().size();
    acknowledged += one.ledger().acknowledged_count();
    claims += one.ledger().claims();
    stale += one.ledger().stale();
    lost += one.ledger().lost();
  };
  const auto report = simulate_many(program, {.count = 100, .each = room()});
  std::printf("%zu seeds: %zu jobs, %zu acknowledged, %zu claims, %zu of them lost, %zu ends too late\n",
              report.runs, jobs, acknowledged, claims, lost, stale);
  EXPECT_EQ(report.distinct_traces, report.runs);
  EXPECT_GT(lost, 0U);
  EXPECT_GT(stale, 0U);
}

TEST_F(jobs_simulated, a_seed_repeats_exactly) {
  std::vector<std::string> histories;
  const auto program = [&] {
    simulated_queue one;
    one.run();
    histories.push_back(one.ledger().history());
  };
  const auto first = simulate(7, program, room());
  const auto again = simulate(7, program, room());
  EXPECT_EQ(first.trace_hash, again.trace_hash);
  EXPECT_EQ(first.time, again.time);
  EXPECT_EQ(histories.at(0), histories.at(1));
}

TEST_F(jobs_simulated, a_store_that_does_not_fence_is_found_and_its_seed_fails_again) {
  std::uint64_t seed = 1, trace = 0;
  std::string why;
  while (why.empty() && seed < 200) why = failure_without_fencing(seed++, trace);
  ASSERT_NE(why.find("was ended by one who did not have it"), std::string::npos) << why;
  EXPECT_NE(why.find("seed " + std::to_string(seed - 1)), std::string::npos) << why;
  std::uint64_t again = 0;
  EXPECT_EQ(failure_without_fencing(seed - 1, again), why);
  EXPECT_EQ(again, trace);
}

}  // namespace
}  // namespace weft::jobs
