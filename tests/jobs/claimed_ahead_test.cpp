#include "jobs/claimed_ahead.hpp"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <weft/fiber/event.hpp>
#include <weft/fiber/fiber.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

steady_time at(std::chrono::microseconds since) { return steady_time(1h + since); }

claimed_job numbered(std::int64_t id) {
  claimed_job job;
  job.id = job_id{id};
  return job;
}

TEST(claimed_ahead, as_many_as_begin_soon_and_none_before_the_pace_is_known) {
  claimed_ahead ahead(1000);
  EXPECT_EQ(ahead.window(at(0us)), 0U);
  steady_time now = at(0us);
  const auto ends = [&](int count, std::chrono::microseconds each) {
    for (; count > 0; --count) ahead.note_end(now += each);
  };
  ends(100, 100us);
  EXPECT_NEAR(static_cast<double>(ahead.window(now)), 50, 1);
  ends(100, 1ms);
  EXPECT_EQ(ahead.window(now), 5U);
  ends(2, 1h);
  EXPECT_LE(ahead.window(now), 2U);
  ends(20, 1h);
  EXPECT_EQ(ahead.window(now), 0U);
  ends(100, 0us);
  EXPECT_EQ(ahead.window(now), 1000U);
}

TEST(claimed_ahead, what_waits_too_long_is_given_back_and_each_time_makes_a_longer_pause) {
  claimed_ahead ahead(64);
  steady_time now = at(0us);
  const auto begin_quickly = [&] {
    for (int end = 0; end < 100; ++end) ahead.note_end(now);
    return ahead.window(now);
  };
  std::vector<std::chrono::milliseconds> pauses;
  for (int round = 0; round < 9; ++round) {
    EXPECT_EQ(begin_quickly(), 64U);
    ahead.put(numbered(1), now);
    ahead.put(numbered(2), now + 1ms);
    EXPECT_EQ(ahead.late_at(), now + claimed_ahead::too_long);
    EXPECT_TRUE(ahead.take_late(now + 24ms).empty());
    now += claimed_ahead::too_long;
    ASSERT_EQ(ahead.take_late(now).size(), 1U);
    EXPECT_EQ(ahead.take().id, job_id{2});
    EXPECT_EQ(ahead.late_at(), no_deadline);
    const steady_time paused = now;
    while (begin_quickly() == 0) now += 1ms;
    pauses.push_back(std::chrono::round<std::chrono::milliseconds>(now - paused));
  }
  EXPECT_EQ(pauses,
            (std::vector{250ms, 500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16'000ms, 32'000ms, 32'000ms}));
  now += 1h;
  begin_quickly();
  ahead.put(numbered(1), now);
  now += claimed_ahead::too_long;
  EXPECT_EQ(ahead.take_late(now).size(), 1U);
  EXPECT_EQ(ahead.window(now + 249ms), 0U);
  begin_quickly();
  EXPECT_EQ(ahead.window(now + 250ms), 64U);
}

TEST(claimed_ahead, some_are_taken_out_and_the_others_keep_their_order_and_time) {
  claimed_ahead ahead(64);
  for (int id = 1; id <= 5; ++id) ahead.put(numbered(id), at(id * 1ms));
  const auto even =
      ahead.take_if([](const claimed_job& one) { return static_cast<std::int64_t>(one.id) % 2 == 0; });
  ASSERT_EQ(even.size(), 2U);
  EXPECT_EQ(even[0].id, job_id{2});
  EXPECT_EQ(even[1].id, job_id{4});
  EXPECT_EQ(ahead.late_at(), at(1ms) + claimed_ahead::too_long);
  for (const int id : {1, 3, 5}) EXPECT_EQ(ahead.take().id, job_id{id});
  EXPECT_TRUE(ahead.empty());
}

struct gate {
  event opened;
};

constexpr auto quick = named_closure<"ahead.quick">([] {});
constexpr auto hold = named_closure<"ahead.hold">([](gate& of) { of.opened.wait(); });

/// In a simulation, where what does not wait takes no time.
class worker_ahead : public testing::Test {
 protected:
  struct scene {
    gate holds;
    services app;
    std::shared_ptr<store> kept = open_store("memory:");
    jobs::queue queue{kept, {.keys = std::make_shared<wire::key_ring>(wire::key::generate("k"))}};

    scene() { app.provide(holds); }
    queue_stats stats() {
      for (const auto& one : queue.kept_in().stats()) {
        if (one.queue == "default") return one;
      }
      return {};
    }
    std::int64_t running() { return stats().running; }
    void wait_until_done(std::int64_t count) {
      while (stats().done < count) sleep_for(1ms);
    }
    void push_quick(std::size_t count) { queue.push_many(std::vector(count, closure{quick})); }
    /// Of two that hold the slots of a worker and thirty quick ones behind them, in one transaction.
    void push_mixed() {
      std::vector<closure<>> all(2, closure{hold});
      all.insert(all.end(), 30, closure{quick});
      queue.push_many(all);
    }
  };

  /// `then` finds the worker with two attempts that hold its slots, and thirty jobs claimed ahead.
  template <typename Then>
  static void with_thirty_ahead(Then then) {
    simulate(1,
             [&] {
               scene on;
               worker one(on.queue, on.app, {.concurrency = 2, .pass_on_logs = false});
               auto working = go([&] { one.run(); });
               on.push_quick(100);
               on.wait_until_done(100);
               on.push_mixed();
               while (on.running() == 0) sleep_for(1ms);
               simulation::require(on.running() == 32, "all are claimed at once");
               then(on, one);
               on.holds.opened.set();
               one.stop();
               working.join();
             },
             {.run = {.stack_bytes = 256 * 1024}});
  }
};

TEST_F(worker_ahead, what_is_not_begun_soon_is_left_to_other_workers) {
  with_thirty_ahead([](scene& on, worker& one) {
    EXPECT_EQ(one.statistics().given_back, 0U);
    while (on.running() > 2) sleep_for(1ms);
    EXPECT_EQ(on.stats().ready, 30);
    EXPECT_EQ(one.statistics().given_back, 30U);
    worker other(on.queue, on.app, {.pass_on_logs = false});
    EXPECT_EQ(other.run_due(), 30U);
    EXPECT_EQ(on.stats().done, 130);
  });
}

TEST_F(worker_ahead, a_worker_that_gets_other_queues_gives_back_only_what_is_of_none_of_them) {
  with_thirty_ahead([](scene& on, worker& one) {
    one.change({.queues = std::vector<std::string>{"other", "default"}});
    sleep_for(1ms);
    EXPECT_EQ(one.statistics().given_back, 0U);
    EXPECT_EQ(on.running(), 32) << "of a queue that stays";
    one.change({.queues = std::vector<std::string>{"other"}});
    sleep_for(1ms);
    EXPECT_EQ(one.statistics().given_back, 30U);
    EXPECT_EQ(on.running(), 2);
  });
}

TEST_F(worker_ahead, a_worker_that_stops_gives_it_back_at_once) {
  with_thirty_ahead([](scene& on, worker& one) {
    const auto before = steady_clock::now();
    one.stop();
    while (on.running() > 2) yield();
    EXPECT_EQ(on.stats().ready, 30);
    EXPECT_LT(steady_clock::now() - before, 1ms);
  });
}

TEST_F(worker_ahead, it_is_begun_as_soon_as_a_slot_is_free) {
  with_thirty_ahead([](scene& on, worker& one) {
    on.holds.opened.set();
    on.wait_until_done(132);
    EXPECT_EQ(one.statistics().given_back, 0U);
    EXPECT_EQ(one.statistics().done, 132U);
  });
}

TEST_F(worker_ahead, one_that_was_cancelled_meanwhile_ends_where_it_would_be_given_back) {
  with_thirty_ahead([](scene& on, worker&) {
    EXPECT_TRUE(on.queue.cancel(on.queue.list().front().id));
    while (on.running() > 2) sleep_for(1ms);
    EXPECT_EQ(on.stats().cancelled, 1);
    EXPECT_EQ(on.stats().ready, 29);
  });
}

TEST_F(worker_ahead, what_begins_in_the_slot_of_another_is_not_in_its_log) {
  simulate(1,
           [] {
             scene on;
             queue forger(on.kept, {.keys = std::make_shared<wire::key_ring>(wire::key::generate("k"))});
             worker one(on.queue, on.app, {.concurrency = 2});
             auto working = go([&] { one.run(); });
             on.push_quick(100);
             on.wait_until_done(100);
             on.kept->set_paused("default", true);
             on.push_mixed();
             forger.push(closure{quick});  // last; to open it writes a critical record
             on.kept->set_paused("default", false);
             while (on.running() < 33) sleep_for(1ms);
             on.holds.opened.set();
             on.wait_until_done(132);
             EXPECT_EQ(on.stats().quarantined, 1);
             list_filter done_ones;
             done_ones.state = job_state::done;
             done_ones.limit = 1000;
             for (const auto& done : on.queue.list(done_ones)) {
               const auto job = on.queue.show(done.id);
               EXPECT_TRUE(job && job->past.size() == 1 && job->past[0].log.records.empty());
             }
             one.stop();
             working.join();
           },
           {.run = {.stack_bytes = 256 * 1024}});
}

TEST_F(worker_ahead, told_to_stop_run_due_gives_it_back_too) {
  simulate(1,
           [] {
             scene on;
             worker one(on.queue, on.app, {.concurrency = 2, .pass_on_logs = false});
             on.push_quick(100);
             EXPECT_EQ(one.run_due(), 100U);
             on.push_mixed();
             auto working = go([&] { EXPECT_EQ(one.run_due(), 2U); });
             while (on.running() < 32) yield();
             one.stop();
             on.holds.opened.set();
             working.join();
             EXPECT_EQ(on.running(), 0);
             EXPECT_EQ(on.stats().ready, 30);
           },
           {.run = {.stack_bytes = 256 * 1024}});
}

TEST_F(worker_ahead, with_a_concurrency_of_one_nothing_is_claimed_ahead) {
  simulate(1,
           [] {
             scene on;
             worker one(on.queue, on.app, {.concurrency = 1, .pass_on_logs = false});
             auto working = go([&] { one.run(); });
             on.push_quick(100);
             on.wait_until_done(100);
             on.push_mixed();
             sleep_for(10ms);
             EXPECT_EQ(on.running(), 1);
             on.holds.opened.set();
             one.stop();
             working.join();
           },
           {.run = {.stack_bytes = 256 * 1024}});
}

}  // namespace
}  // namespace weft::jobs
