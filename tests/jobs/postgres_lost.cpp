#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include <weft/core/error.hpp>
#include <weft/jobs/clock.hpp>

#include "jobs/postgres/link/address.hpp"
#include "jobs/postgres/link/connection.hpp"
#include "postgres_fixture.hpp"

// Connections that are lost in the middle of calls: what was promised holds, and nothing is done twice.

namespace weft::jobs {

using postgres_lost = postgres_stores;

TEST_F(postgres_lost, what_was_promised_holds_when_sessions_are_ended_all_the_time) {
  constexpr std::int64_t each = 60;
  constexpr int threads = 4;
  store& own = open();
  std::atomic<std::int64_t> done{0};
  std::atomic<int> ended_sessions{0};
  std::atomic<std::int64_t> steps{0};  // that went well
  std::mutex mutex;
  std::map<job_id, int> promised_ends;
  std::thread killer([&] {
    weft_test::with_connection(url_, [&](auto& session) {
      for (std::int64_t seen = 0; done < each * threads; seen = steps) {
        // Only as often as something goes on, on a slow machine, too.
        while (steps < seen + 15 && done < each * threads) session.run("SELECT pg_sleep(0.005)");
        ended_sessions += static_cast<int>(session
                                               .run("SELECT count(pg_terminate_backend(pid)) FROM "
                                                    "pg_stat_activity WHERE pid <> pg_backend_pid()"
                                                    " AND datname = current_database()")
                                               .integer(0, 0));
      }
    });
  });
  at_once(threads, [&](int number) {
    const std::int64_t worker = number + 1;
    join(own, worker);
    for (std::int64_t id = number * each + 1; id <= (number + 1) * each; ++id) {
      push(own, job(id));
      ++steps;
    }
    while (done < each * threads) {
      // Its own time for each claim: by it a lost one is found.
      for (const auto& one : claim(own, worker, 5, clock::system().now().time_since_epoch().count())) {
        if (!own.finish(end(one, worker))) continue;
        ++done;
        ++steps;
        const std::lock_guard lock(mutex);
        ++promised_ends[one.id];
      }
    }
  });
  killer.join();
  EXPECT_GT(ended_sessions, 0);
  EXPECT_EQ(promised_ends.size(), static_cast<std::size_t>(each * threads));
  for (const auto& [id, times] : promised_ends) EXPECT_EQ(times, 1) << to_string(id);
  EXPECT_EQ(own.stats().at(0).done, each * threads);
}

TEST_F(postgres_lost, a_removal_whose_answer_is_lost_says_what_became_of_the_job) {
  store& own = open();
  join(own, 1);
  push(own, job(1));
  push(own, job(2));
  const std::string waiting =
      " FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  // It waits for the job while that begins, and its session is ended meanwhile.
  const auto is_removed = [&](std::int64_t id, const std::string& meanwhile) {
    std::future<bool> removed;
    weft_test::with_connection(url_, [&](auto& session) {
      session.run("BEGIN");
      session.run(meanwhile);
      removed =
          std::async(std::launch::async, [&, id] { return own.remove(job_id{id}, std::nullopt, at(1000)); });
      const auto killer = postgres::connection::open(postgres::address(url_));
      const auto until = steady_clock::now() + std::chrono::seconds(60);
      while (killer->run("SELECT pid" + waiting).rows() == 0 && steady_clock::now() < until)
        killer->run("SELECT pg_sleep(0.005)");
      EXPECT_EQ(killer->run("SELECT count(pg_terminate_backend(pid))" + waiting).integer(0, 0), 1);
      session.run("COMMIT");
    });
    return removed.get();
  };
  const std::string number_of_closure = std::to_string(number("SELECT id FROM weft.weft_handler"));
  EXPECT_FALSE(is_removed(1, "SELECT count(*) FROM weft.weft_claim(1, '{mail}', 1, 1000, '{" +
                                 number_of_closure + "}', '{}', true)"));
  EXPECT_EQ(own.stats().at(0).running, 1);
  EXPECT_FALSE(is_removed(2, "SELECT weft.weft_remove(2, NULL, 1000)")) << "another one removed it";
}

/// The database is as if it had crashed before it wrote that to disk.
class forgetful_database {
 public:
  explicit forgetful_database(std::string url) : url_(std::move(url)) {}
  /// What is held now shall be what it knows after forget().
  void remember() { run("CREATE TABLE before AS SELECT * FROM weft.weft_running"); }
  void forget() {
    run("INSERT INTO weft.weft_count SELECT queue, 3, 0, -count(*) FROM weft.weft_done GROUP BY queue");
    run("DELETE FROM weft.weft_done");
    run("INSERT INTO weft.weft_running SELECT * FROM before ON CONFLICT DO NOTHING");
    run("DROP TABLE before");
    run("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()");
  }

 private:
  void run(const std::string& sql) {
    weft_test::with_connection(url_, [&](auto& session) { session.run(sql); });
  }
  const std::string url_;
};

TEST_F(postgres_lost, ends_that_the_server_has_forgotten_are_given_back_while_their_worker_lives) {
  store& own = open();
  join(own, 1);
  for (std::int64_t id = 1; id <= 4; ++id) push(own, job(id));
  const auto claimed = claim(own, 1, 4);
  ASSERT_EQ(claimed.size(), 4U);
  own.beat(worker_id{1});
  forgetful_database database(url_);
  database.remember();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(own.finish(end(claimed.at(static_cast<std::size_t>(i)), 1)));
  database.forget();
  own.beat(worker_id{1});
  EXPECT_EQ(own.stats().at(0).ready, 0) << "one look is not enough";
  own.beat(worker_id{1});
  EXPECT_EQ(own.stats().at(0).ready, 3);
  EXPECT_EQ(own.stats().at(0).running, 1) << "the fourth still runs";
  EXPECT_TRUE(own.finish(end(claimed[3], 1)));
  for (const auto& one : claim(own, 1, 4)) EXPECT_TRUE(own.finish(end(one, 1)));
  EXPECT_EQ(own.stats().at(0).done, 4);
}

TEST_F(postgres_lost, a_claim_that_the_server_has_forgotten_and_gives_again_is_not_begun_twice) {
  store& own = open();
  join(own, 1);
  push(own, job(1));
  const auto first = claim(own, 1, 1);
  ASSERT_EQ(first.size(), 1U);
  weft_test::with_connection(url_, [](auto& session) {
    session.run(
        "WITH gone AS (DELETE FROM weft.weft_running RETURNING *) INSERT INTO weft.weft_ready SELECT id, "
        "run_at, fence - 1, limit_id, queue, handler, priority, attempts, backoffs, crashes, flags FROM "
        "gone");
    session.run("INSERT INTO weft.weft_count SELECT queue, 1, handler, 1 FROM weft.weft_ready");
  });
  EXPECT_TRUE(claim(own, 1, 1).empty());
  EXPECT_EQ(own.stats().at(0).running, 1);
  EXPECT_TRUE(own.finish(end(first[0], 1)));
  EXPECT_EQ(own.stats().at(0).done, 1);
}

}  // namespace weft::jobs
