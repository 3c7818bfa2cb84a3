#include <weft/fiber/simulate.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/fiber/channel.hpp>
#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/fiber/semaphore.hpp>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// Fibers, a channel, a mutex, timers, a pool: enough for many orders.
void busy_program() {
  channel<int> values(2);
  mutex lock;
  int sum = 0;
  thread_pool pool{{.threads = 2}};
  scope all;
  for (int i = 0; i < 4; ++i) {
    all.go([&, i] {
      sleep_for(std::chrono::milliseconds(simulation::random(5)));
      values.push(pool.submit([i] { return i; }).get());
    });
  }
  for (int i = 0; i < 2; ++i) {
    all.go([&] {
      for (int taken = 0; taken < 2; ++taken) {
        const auto value = values.pop();
        const std::lock_guard guard(lock);
        sum += *value;
      }
    });
  }
  all.join();
  simulation::require(sum == 6, "all values arrive");
}

TEST(simulate, the_same_seed_gives_the_same_trace) {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto first = simulate(seed, busy_program);
    const auto again = simulate(seed, busy_program);
    EXPECT_EQ(first.trace_hash, again.trace_hash) << seed;
    EXPECT_EQ(first.turns, again.turns);
    EXPECT_EQ(first.time, again.time);
    EXPECT_EQ(first.status, 0);
    traces.insert(first.trace_hash);
  }
  EXPECT_EQ(traces.size(), 100U);
}

TEST(simulate, takes_no_time_for_sleep) {
  const auto before = std::chrono::steady_clock::now();
  steady_clock::duration slept{};
  const auto report = simulate(1, [&] {
    const auto begin = steady_clock::now();
    sleep_for(100h);
    slept = steady_clock::now() - begin;
  });
  EXPECT_GE(slept, 100h);
  EXPECT_LT(slept, 100h + 2ms);
  EXPECT_GE(report.time, 100h);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1h);
}

TEST(simulate, runs_timers_in_order_of_their_bounds) {
  simulate_many(
      [] {
        std::vector<int> order;
        scope all;
        for (const int i : {3, 1, 2}) {
          all.go([&, i] {
            sleep_for(i * 10ms);
            order.push_back(i);
          });
        }
        all.join();
        simulation::require(order == std::vector{1, 2, 3}, "the earlier timer fires earlier");
      },
      {.count = 200});
}

TEST(simulate, keeps_the_wall_clock_in_step_and_the_same_for_each_seed) {
  wall_clock::time_point first[2];
  for (auto& begin : first) {
    simulate(7, [&] {
      begin = wall_clock::now();
      sleep_for(24h);
      simulation::require(wall_clock::now() - begin >= 24h, "a day has passed");
    });
  }
  EXPECT_EQ(first[0], first[1]);
}

TEST(simulate, gives_ids_from_one_so_that_a_replay_shows_the_same) {
  for (int i = 0; i < 2; ++i) {
    simulate(3, [] { EXPECT_EQ(go([] { return this_fiber::id(); }).join(), this_fiber::id() + 1); });
    simulate(3, [] { EXPECT_EQ(this_fiber::id(), 1U); });
  }
}

/// Looks, gives up its turn, and acts on what it saw.
void check_then_act() {
  int seats = 1, guests = 0;
  scope all;
  for (int i = 0; i < 2; ++i) {
    all.go([&] {
      if (seats == 0) return;
      yield();
      --seats;
      ++guests;
    });
  }
  all.join();
  simulation::require(guests == 1, "one guest a seat");
}

/// The same, hidden in an operation that would not have to wait: the semaphore has permits enough.
void check_then_act_around_a_free_semaphore() {
  int seats = 1, guests = 0;
  semaphore free{2};
  scope all;
  for (int i = 0; i < 2; ++i) {
    all.go([&] {
      if (seats == 0) return;
      free.acquire();
      --seats;
      ++guests;
      free.release();
    });
  }
  all.join();
  simulation::require(guests == 1, "one guest a seat");
}

std::uint64_t failing_seed(void (*program)(), std::size_t count) {
  try {
    simulate_many(program, {.count = count});
  } catch (const simulation_error& found) {
    EXPECT_NE(std::string(found.what()).find("one guest a seat"), std::string::npos) << found.what();
    EXPECT_NE(std::string(found.what()).find("WEFT_SEED=" + std::to_string(found.seed())), std::string::npos);
    EXPECT_EQ(found.code(), errc::internal);
    EXPECT_NE(found.cause(), nullptr);
    return found.seed();
  }
  ADD_FAILURE() << "not found";
  return 0;
}

TEST(simulate, finds_a_race_and_its_seed_replays_it) {
  for (auto* const program : {&check_then_act, &check_then_act_around_a_free_semaphore}) {
    const std::uint64_t seed = failing_seed(program, 100);
    std::uint64_t traces[2] = {};
    for (auto& trace : traces) {
      try {
        simulate(seed, program);
        ADD_FAILURE() << "seed " << seed << " does not replay";
      } catch (const simulation_error& again) {
        trace = again.run().trace_hash;
      }
    }
    EXPECT_EQ(traces[0], traces[1]);
  }
}

TEST(simulate, reports_a_deadlock_with_its_fibers) {
  try {
    simulate(5, [] {
      channel<int> nobody_pushes(1);
      nobody_pushes.pop();
    });
    FAIL();
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::deadlock);
    EXPECT_NE(std::string(found.what()).find("channel::pop"), std::string::npos) << found.what();
  }
}

TEST(simulate, finds_a_deadlock_that_needs_an_unlucky_order) {
  const auto program = [] {
    semaphore left{1}, right{1};
    scope all;
    all.go([&] {
      left.acquire();
      right.acquire();
      right.release();
      left.release();
    });
    all.go([&] {
      right.acquire();
      left.acquire();
      left.release();
      right.release();
    });
    all.join();
  };
  EXPECT_THROW(simulate_many(program, {.count = 200}), simulation_error);
}

TEST(simulate, reports_a_fiber_that_is_left_parked) {
  auto leaks = std::make_shared<channel<int>>(1);
  try {
    simulate(5, [&] { go([leaks] { leaks->pop(); }, {.name = "forgotten"}).detach(); });
    FAIL();
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::deadlock);
    const std::string text = found.what();
    EXPECT_NE(text.find("main has ended"), std::string::npos) << text;
    EXPECT_NE(text.find("forgotten"), std::string::npos) << text;
  }
}

TEST(simulate, reports_an_error_that_nobody_joins) {
  try {
    simulate(5, [] { go([] { throw error(errc::corrupt, "lost"); }, {.name = "careless"}).detach(); });
    FAIL();
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::corrupt);
    EXPECT_NE(std::string(found.what()).find("careless"), std::string::npos) << found.what();
  }
}

TEST(simulate, leaves_uncaught_errors_to_a_handler_that_was_given) {
  int seen = 0;
  simulation_options options;
  options.run.on_uncaught = [&](const uncaught_error&) { ++seen; };
  simulate(
      5, [] { go([] { throw 1; }).detach(); }, options);
  EXPECT_EQ(seen, 1);
}

TEST(simulate, stops_when_it_is_told_to_and_says_what_each_fiber_does) {
  const std::stop_source stop;
  std::jthread outside;
  try {
    simulate(5,
             [&] {
               auto idle = go([] { event().wait(); }, {.name = "idle"});
               yield();
               outside = std::jthread([&] { std::stop_source(stop).request_stop(); });
               for (;;) yield();
             },
             {.turns_max = std::uint64_t{1} << 60U, .stop = stop.get_token()});
    FAIL();
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::cancelled);
    EXPECT_NE(std::string(found.what()).find("told to stop:\n"), std::string::npos) << found.what();
    EXPECT_NE(std::string(found.what()).find("\"idle\" waits in event::wait"), std::string::npos)
        << found.what();
  }
}

TEST(simulate, ends_a_program_that_goes_on_for_ever) {
  try {
    simulate(5,
             [] {
               for (;;) yield();
             },
             {.turns_max = 1000});
    FAIL();
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::resource_exhausted);
    EXPECT_EQ(found.run().turns, 1001U);
  }
}

TEST(simulate, runs_pools_and_blocking_as_fibers_of_its_thread) {
  const auto thread = std::this_thread::get_id();
  simulate_many(
      [&] {
        thread_pool pool;
        EXPECT_EQ(pool.threads(), 4U);
        EXPECT_EQ(pool.submit([] { return std::this_thread::get_id(); }).get(), thread);
        EXPECT_EQ(blocking([] { return std::this_thread::get_id(); }), thread);
        EXPECT_EQ(pool.shutdown(1s).dropped_tasks, 0U);
      },
      {.count = 50});
}

TEST(simulate, cancels_a_task_of_a_pool_at_its_bound) {
  simulate_many(
      [] {
        thread_pool pool{{.threads = 1}};
        auto long_one = pool.submit([] { sleep_for(10h); });
        const auto report = pool.shutdown(1s);
        simulation::require(report.running_tasks + report.dropped_tasks == 1, "one was given up");
        EXPECT_THROW(long_one.get(), cancelled);
      },
      {.count = 50});
}

TEST(simulate, lets_bounds_that_are_nearly_equal_pass_in_either_order) {
  std::set<bool> outcomes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    simulate(seed, [&] {
      event done;
      auto worker = go([&] {
        sleep_for(10ms);
        done.set();
      });
      outcomes.insert(done.wait_for(10ms));
      worker.join();
    });
  }
  EXPECT_EQ(outcomes.size(), 2U);
}

TEST(simulate, refuses_descriptors_and_says_why) {
  simulate(5, [] {
    try {
      const io_handle standard_input(0);
      FAIL();
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::unsupported);
      EXPECT_NE(std::string(refused.what()).find("simulation"), std::string::npos);
    }
  });
}

TEST(simulate, notices_a_thread_that_is_not_of_the_simulation) {
  std::thread outside;
  event woken;
  simulation_options without_end;
  without_end.turns_max = std::uint64_t{1} << 60U;
  const auto program = [&] {
    event waits;
    outside = std::thread([&] {
      while (waits.waiting() == 0) std::this_thread::yield();
      waits.set();
      woken.set();
    });
    // The outside takes real time, in which the simulation has nothing to do but yield.
    go([&] {
      while (!waits.is_set()) yield();
    });
    waits.wait();
  };
  try {
    simulate(5, program, without_end);
    ADD_FAILURE() << "nobody noticed";
  } catch (const simulation_error& found) {
    EXPECT_EQ(found.code(), errc::misuse) << found.what();
  }
  woken.wait();
  outside.join();
}

TEST(simulate, does_not_nest) {
  simulate(5, [] { EXPECT_THROW(simulate(6, [] {}), simulation_error); });
  run([] { EXPECT_THROW(simulate(6, [] {}), simulation_error); });
}

TEST(simulate, begins_in_an_empty_context) {
  with_timeout(1h, [] { simulate(5, [] { EXPECT_FALSE(remaining().has_value()); }); });
  EXPECT_FALSE(simulation::active());
}

TEST(simulate, gives_the_status_and_simulate_many_takes_it_for_a_failure) {
  EXPECT_EQ(simulate(5, [] { return 3; }).status, 3);
  EXPECT_THROW(simulate_many([] { return 3; }, {.count = 1}), simulation_error);
}

TEST(simulation, draws_values_that_the_seed_decides) {
  std::vector<std::uint64_t> drawn[2];
  for (auto& values : drawn) {
    simulate(9, [&] {
      EXPECT_EQ(simulation::seed(), 9U);
      for (int i = 0; i < 10; ++i) values.push_back(simulation::random(1000));
    });
  }
  EXPECT_EQ(drawn[0], drawn[1]);
  EXPECT_THROW(simulation::random(1), error);
}

/// Sets a variable of the environment while it lives.
class environment {
 public:
  environment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~environment() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(simulate_many, runs_one_seed_alone_where_the_environment_says_so) {
  const environment seed("WEFT_SEED", "17");
  std::vector<std::uint64_t> seeds;
  simulate_many([&] { seeds.push_back(simulation::seed()); });
  EXPECT_EQ(seeds, std::vector<std::uint64_t>{17});
}

TEST(simulate_many, runs_as_many_as_the_environment_says) {
  const environment count("WEFT_SEEDS", "12");
  EXPECT_EQ(simulate_many([] {}, {.count = 2}).runs, 12U);
}

TEST(simulate_many, refuses_a_seed_that_is_no_number) {
  const environment seed("WEFT_SEED", "seventeen");
  EXPECT_THROW(simulate_many([] {}), error);
}

TEST(simulated_main, goes_on_after_a_seed_that_failed_and_prints_each) {
  testing::internal::CaptureStderr();
  const int status =
      simulated_main([] { simulation::require(simulation::seed() % 2 == 0, "even"); }, {.count = 4});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(status, 1);
  EXPECT_NE(text.find("WEFT_SEED=1 "), std::string::npos) << text;
  EXPECT_NE(text.find("WEFT_SEED=3 "), std::string::npos) << text;
  EXPECT_NE(text.find("simulated 4 seeds from 1: 2 failed"), std::string::npos) << text;
}

}  // namespace
}  // namespace weft
