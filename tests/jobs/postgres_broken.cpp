#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <mutex>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/jobs/clock.hpp>

#include "postgres_proxy_fixture.hpp"
#include "support/pgbouncer_server.hpp"
#include "support/postgres_server.hpp"

// The way to the server breaks in the middle of single calls, the server goes away and comes back, and a
// pooler stands in between: what was promised holds, and nothing is done twice.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;
using weft_test::proxy_fault;

/// Pushes, claims and ends `count` jobs from several threads until all are done; checks that each was
/// promised to be done once.
template <typename Fixture>
void work_off(Fixture& test, store& own, std::int64_t count,
              const std::function<void(std::int64_t done)>& each_round) {
  constexpr int threads = 3;
  std::atomic<std::int64_t> done{0};
  std::atomic<std::int64_t> next_id{1};
  std::mutex mutex;
  std::map<job_id, int> promised;
  const steady_time until = deadline_after(100s);
  const auto work = [&](int number) {
    const std::int64_t worker = number + 1;
    test.join_as(own, worker);
    while (done < count && steady_clock::now() < until) {
      const std::int64_t id = next_id++;
      if (id <= count) test.push_one(own, id);
      // A time of its own for each claim, as with the system's clock.
      for (const auto& one : test.claim_some(own, worker, clock::system().now().time_since_epoch().count())) {
        if (!test.end_durably(own, one, worker)) continue;
        const std::lock_guard lock(mutex);
        ++promised[one.id];
        ++done;
      }
    }
  };
  // The rounds are this thread's: a server ends with the thread that has started it.
  std::thread working([&] { test.run_at_once(threads, work); });
  while (done < count && steady_clock::now() < until) each_round(done);
  working.join();
  EXPECT_EQ(promised.size(), static_cast<std::size_t>(count));
  for (const auto& [id, times] : promised) EXPECT_EQ(times, 1) << to_string(id);
  const auto stats = own.stats();
  ASSERT_EQ(stats.size(), 1U);
  EXPECT_EQ(stats[0].done, count);
  EXPECT_EQ(stats[0].ready + stats[0].running + stats[0].scheduled + stats[0].blocked, 0);
}

}  // namespace

class postgres_broken : public postgres_by_proxy {
 public:
  template <typename Work>
  void run_at_once(int count, Work work) {
    at_once(count, work);
  }
  void join_as(store& to, std::int64_t worker) { join(to, worker); }
  void push_one(store& to, std::int64_t id) { push(to, job(id)); }
  std::vector<claimed_job> claim_some(store& from, std::int64_t worker, std::int64_t now) {
    return claim(from, worker, 5, now);
  }
  bool end_durably(store& to, const claimed_job& one, std::int64_t worker) {
    attempt_end ended = end(one, worker);
    ended.durable = true;
    return to.finish(ended);
  }
};

class postgres_broken_calls : public postgres_broken, public testing::WithParamInterface<proxy_fault> {};

TEST_P(postgres_broken_calls, a_push_is_kept_once) {
  push(*far_, job(1));
  break_at(GetParam(), "envelope 2", [&] { push(*far_, job(2)); });
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 2);
  EXPECT_EQ(far_->stats().at(0).ready, 2);
}

TEST_P(postgres_broken_calls, a_push_with_a_key_gives_its_own_id) {
  new_job one = job(7);
  one.unique = unique_key{"only one of these"};
  std::vector<job_id> ids;
  break_at(GetParam(), "only one of these", [&] { ids = far_->push({&one, 1}); });
  EXPECT_EQ(ids, std::vector{job_id{7}});
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 1);
}

TEST_P(postgres_broken_calls, an_end_counts_once) {
  push(*far_, job(1));
  push(*far_, job(2));
  join(*far_, 1);
  const auto claimed = claim(*far_, 1, 2);
  ASSERT_EQ(claimed.size(), 2U);
  attempt_end again = end(claimed[0], 1, next_step::again);
  again.record.outcome = attempt_outcome::failed;
  again.record.error = "an error of its own";
  break_at(GetParam(), "an error of its own", [&] { EXPECT_TRUE(far_->finish(again)); });
  attempt_end done = end(claimed[1], 1);
  done.result = "a result of its own";
  break_at(GetParam(), "a result of its own", [&] { EXPECT_TRUE(far_->finish(done)); });
  EXPECT_EQ(far_->find(claimed[0].id)->attempts, 1);
  EXPECT_EQ(far_->find(claimed[0].id)->past.size(), 1U);
  EXPECT_EQ(far_->find(claimed[1].id)->state, job_state::done);
  EXPECT_FALSE(far_->finish(done));
}

TEST_P(postgres_broken_calls, an_end_and_what_it_pushes_are_one) {
  push(*far_, job(1));
  join(*far_, 1);
  attempt_end done = end(claim(*far_, 1, 1).at(0), 1);
  done.pushes = {job(2), job(3)};
  break_at(GetParam(), "envelope 3", [&] { EXPECT_TRUE(far_->finish(done)); });
  EXPECT_EQ(far_->stats().at(0).ready, 2);
  EXPECT_EQ(far_->stats().at(0).done, 1);
}

TEST_P(postgres_broken_calls, what_a_lost_claim_took_is_not_kept_from_others) {
  push(*far_, job(1));
  push(*far_, job(2));
  join(*far_, 1);
  std::vector<claimed_job> claimed;
  break_at(GetParam(), "mail", [&] { claimed = claim(*far_, 1, 5); });
  EXPECT_EQ(claimed.size(), 2U);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_running"), 2);
  for (const auto& one : claimed) EXPECT_TRUE(far_->finish(end(one, 1)));
}

INSTANTIATE_TEST_SUITE_P(faults, postgres_broken_calls,
                         testing::Values(proxy_fault::cut_before, proxy_fault::cut_after),
                         [](const auto& fault) {
                           return fault.param == proxy_fault::cut_before ? "cut_before" : "cut_after";
                         });

TEST_P(postgres_broken_calls, a_transaction_whose_commit_is_cut_is_known_to_be_done_or_not) {
  int runs = 0;
  const auto transact = [&] {
    far_->transact(
        [&](store_transaction& own) {
          ++runs;
          own.push(job(1));
        },
        {.limit = 60s});
  };
  const bool is_done = GetParam() == proxy_fault::cut_after;
  break_at(GetParam(), "COMMIT", [&] {
    if (is_done) {
      EXPECT_NO_THROW(transact());
    } else {
      try {
        transact();
        ADD_FAILURE() << "it was not committed";
      } catch (const error& failed) {
        EXPECT_EQ(failed.code(), errc::unavailable);
        EXPECT_NE(failed.message().find("all of it was undone"), std::string::npos) << failed.message();
      }
    }
  });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), is_done ? 1 : 0);
}

TEST_F(postgres_broken, a_claim_whose_answer_nobody_reads_does_not_hold_up_the_rescue_of_its_worker) {
  constexpr std::size_t count = 60;
  store& near = open();
  std::vector<new_job> jobs;
  for (std::size_t id = 1; id <= count; ++id) {
    jobs.push_back(job(static_cast<std::int64_t>(id)));
    jobs.back().envelope = std::string(200'000, 'x');
  }
  join(*far_, 1);
  join(near, 2);
  push(near, job(count + 1));
  EXPECT_TRUE(far_->finish(end(claim(*far_, 1, 1).at(0), 1)));  // it knows the closure now
  near.push(jobs);
  proxy_->set_fault(proxy_fault::stall, "mail");
  auto claiming = std::async(std::launch::async, [&] { return claim(*far_, 1, count); });
  const steady_time until = deadline_after(60s);
  const auto is_stuck = [&] {
    return number(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = "
               "'ClientWrite'") > 0;
  };
  while (!is_stuck() && steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  std::optional<std::size_t> rescued;
  while (!rescued && steady_clock::now() < until) rescued = near.rescue(near.workers().at(0), at(2000), 5);
  EXPECT_TRUE(rescued);
  proxy_->cut_all();
  EXPECT_THROW((void)claiming.get(), error) << "it is no worker any more";
  EXPECT_EQ(claim(near, 2, count).size(), count);
}

TEST_F(postgres_broken, calls_wait_for_a_way_that_is_shut_for_a_while) {
  push(*far_, job(1));
  proxy_->refuse(true);
  proxy_->cut_all();
  std::thread pushing([&] { push(*far_, job(2)); });
  const auto clients = proxy_->clients();
  while (proxy_->clients() < clients + 3) std::this_thread::yield();
  proxy_->refuse(false);
  pushing.join();
  EXPECT_EQ(number("SELECT count(*) FROM weft.weft_job"), 2);
}

TEST_F(postgres_broken, what_was_promised_holds_when_the_server_is_killed_and_started_again) {
  weft_test::postgres_server mortal({.connections_max = 60});
  store& own = open_at(mortal.url());
  std::int64_t seen = 0;
  work_off(*this, own, 90, [&](std::int64_t done) {
    if (done < seen + 20) {
      std::this_thread::sleep_for(1ms);
      return;
    }
    seen = done;
    mortal.stop();
    mortal.start();
  });
  stores_.clear();
}

TEST_F(postgres_broken, what_was_promised_holds_through_a_pooler_whose_sessions_are_ended) {
  const std::string server = "postgres://weft@/postgres?host=" + folder_of(url_);
  const weft_test::pgbouncer_server pooler(folder_of(url_), 6);
  store& own = open_at(by_way(pooler.url(), database_of(url_)));
  work_off(*this, own, 120, [&](std::int64_t) {
    weft_test::with_connection(server, [&](auto& killer) {
      killer.run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
                 database_of(url_) + "'");
      killer.run("SELECT pg_sleep(0.1)");
    });
  });
}

}  // namespace weft::jobs
