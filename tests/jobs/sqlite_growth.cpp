#include "jobs/sqlite_helpers.hpp"

// Rows that nobody refers to any more are deleted by purges, in bounded steps.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class sqlite_growth : public sqlite_test {
 protected:
  static std::int64_t rows_of(store& kept, const std::string& table) {
    std::int64_t count = -1;
    kept.transact(
        [&](store_transaction& inside) {
          count = std::get<std::int64_t>(inside.run("SELECT count(*) FROM " + table, {})[0][0]);
        },
        {});
    return count;
  }
  static void finish_all(store& kept, moment now) {
    for (auto claimed = claim(kept, 100); !claimed.jobs.empty(); claimed = claim(kept, 100)) {
      for (const auto& one : claimed.jobs) {
        attempt_end end;
        end.id = one.id;
        end.owner = worker_id{1};
        end.fence = one.fence;
        end.now = now;
        EXPECT_TRUE(kept.finish(end));
      }
    }
  }
};

TEST_F(sqlite_growth, limits_of_deleted_jobs_are_forgotten) {
  const auto kept = open();
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 30; ++id) {
    many.push_back(job(id));
    many.back().limit = limit_options{"tenant " + std::to_string(id / 2), 5};
  }
  kept->push(many);
  EXPECT_EQ(rows_of(*kept, "weft_limit"), 16);
  finish_all(*kept, moment(2s));
  EXPECT_EQ(kept->purge(moment(3s), moment(3s), 3), 3U);
  EXPECT_EQ(rows_of(*kept, "weft_limit"), 14) << "one half of a pair is left";
  while (kept->purge(moment(3s), moment(3s), 7) > 0) {
  }
  EXPECT_EQ(rows_of(*kept, "weft_limit"), 0);
  many.resize(1);
  kept->push(many);
  EXPECT_EQ(kept->find(job_id{1})->limit, "tenant 0");
}

TEST_F(sqlite_growth, unique_keys_of_deleted_jobs_are_forgotten_when_their_period_is_over) {
  const auto kept = open();
  std::vector<new_job> many;
  for (std::int64_t id = 1; id <= 20; ++id) {
    many.push_back(job(id));
    many.back().unique =
        unique_key{"key " + std::to_string(id), unique_until::ended, id % 2 == 0 ? moment(10s) : moment(0s)};
  }
  kept->push(many);
  finish_all(*kept, moment(2s));
  EXPECT_EQ(kept->purge(moment(3s), moment(3s), 100), 20U);
  EXPECT_EQ(rows_of(*kept, "weft_unique"), 10) << "their period is not over";
  auto early = job(30);
  early.unique = unique_key{"key 2", unique_until::ended, {}};
  EXPECT_EQ(kept->push({&early, 1}).at(0), job_id{2});
  auto later = early;
  later.created = later.run_at = moment(11s);
  EXPECT_EQ(kept->push({&later, 1}).at(0), job_id{30});
  EXPECT_EQ(rows_of(*kept, "weft_unique"), 10) << "its row took the place of the old one";
  kept->purge(moment(11s), moment(11s), 4);
  EXPECT_EQ(rows_of(*kept, "weft_unique"), 6);
  kept->purge(moment(11s), moment(11s), 100);
  EXPECT_EQ(rows_of(*kept, "weft_unique"), 1) << "that of the job that waits";
}

TEST_F(sqlite_growth, the_key_that_a_deleted_job_lost_to_another_is_not_kept) {
  const auto kept = open();
  auto first = job(1);
  first.unique = unique_key{"key", unique_until::claimed, moment(10s)};
  kept->push({&first, 1});
  finish_all(*kept, moment(2s));
  auto second = job(2);
  second.created = second.run_at = moment(10s);
  second.unique = unique_key{"key", unique_until::ended, {}};
  EXPECT_EQ(kept->push({&second, 1}).at(0), job_id{2});
  EXPECT_EQ(kept->purge(moment(3s), moment(3s), 10), 1U);
  EXPECT_EQ(rows_of(*kept, "weft_unique"), 1);
  EXPECT_EQ(kept->push({&first, 1}).at(0), job_id{2});
}

}  // namespace
}  // namespace weft::jobs
