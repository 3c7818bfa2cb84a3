#include <atomic>
#include <map>
#include <mutex>

#include <weft/core/error.hpp>
#include <weft/jobs/clock.hpp>

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

}  // namespace weft::jobs
