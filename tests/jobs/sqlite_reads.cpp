#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string_view>

#include <sqlite3.h>

#include "jobs/sqlite_helpers.hpp"
#include "jobs/statement_log.hpp"
#include "store_contract/store_model.hpp"

// What lists and counts cost, and whom they hold up.

namespace weft::jobs {
namespace {

using namespace std::chrono_literals;

class sqlite_reads : public sqlite_test {
 protected:
  std::vector<std::string> run_sql(const std::string& sql) const { return jobs::run_sql(path_, sql); }
};

/// How many steps SQLite's machine takes, in units of 1, on connections opened while it lives.
class step_count {
 public:
  step_count() {
    steps() = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
  }
  step_count(const step_count&) = delete;
  step_count& operator=(const step_count&) = delete;
  ~step_count() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&watch)); }
  static std::int64_t value() { return steps(); }

 private:
  static int watch(sqlite3* database, const char**, const void*) {
    sqlite3_progress_handler(
        database, 1,
        [](void*) {
          ++steps();
          return 0;
        },
        nullptr);
    return SQLITE_OK;
  }
  static std::atomic<std::int64_t>& steps() {
    static std::atomic<std::int64_t> all{0};
    return all;
  }
};

void list_in_every_way(store& kept) {
  for (const char* const queue : {"", "mail"}) {
    for (const char* const tag : {"", "eu"}) {
      kept.list({.queue = queue, .tag = tag, .state = {}, .before = {}});
      kept.list({.queue = queue, .tag = tag, .state = {}, .without_done = true, .before = {}});
      for (int state = 0; state <= static_cast<int>(job_state::blocked); ++state)
        kept.list({.queue = queue, .tag = tag, .state = static_cast<job_state>(state), .before = {}});
    }
    for (const auto state : {job_state::dead, job_state::cancelled, job_state::quarantined})
      kept.retry_all(queue, state, moment(3s), 10);
  }
  kept.stats();
  kept.find_oldest_ready(moment(3s));
  kept.count_tagged("eu");
  kept.schedules();
  kept.count_unroutable([](std::string_view) { return true; });
  kept.find(job_id{1});
  kept.workers();
  kept.limits("", 10);
  kept.read_steps(job_id{1}, [](std::string_view) {});
}

TEST_F(sqlite_reads, no_statement_looks_at_all_rows_of_a_large_table) {
  std::set<std::string> statements;
  { (void)open(); }  // makes the tables, which may look at what they like
  {
    const statement_log log;
    const auto kept = open();
    list_in_every_way(*kept);
    auto one = job(900'000);
    one.queue = "own";
    one.tags = {"eu"};
    kept->push({&one, 1});
    list_in_every_way(*kept);
    using kind = random_step::kind;
    store_model model;
    for (unsigned round = 0; round < 40; ++round) {
      for (const kind what : {kind::add_worker, kind::push, kind::push, kind::claim, kind::finish,
                              kind::cancel, kind::retry, kind::progress, kind::wait, kind::rescue,
                              kind::remove, kind::set_limit, kind::release_limit, kind::purge}) {
        model.apply(*kept, {what, round * 7, round * 13});
      }
    }
    list_in_every_way(*kept);
    kept->purge(moment(std::chrono::hours(1)), moment(std::chrono::hours(1)), 10);
    statements = log.seen();
    EXPECT_EQ(log.prepared_again(), std::set<std::string>{}) << "that takes ten times as long as running it";
  }
  std::size_t explained = 0;
  for (const auto& text : statements) {
    if (!is_of_jobs(text)) continue;
    ++explained;
    if (text.ends_with("FROM weft_schedule ORDER BY name")) continue;  // that lists them all
    const bool finds_due = text.find("FROM weft_schedule WHERE paused = 0") != std::string::npos;
    for (const auto& step : run_sql("EXPLAIN QUERY PLAN " + text)) {
      EXPECT_FALSE(reads_whole_table(step)) << step << " in " << text;
      if (finds_due) {
        EXPECT_NE(step.find("(queue=? AND next"), std::string::npos) << step << " in " << text;
      }
      // Sorting what an index could have given in order costs as much as the table holds.
      EXPECT_EQ(step.find("TEMP B-TREE FOR ORDER BY"), std::string::npos) << step << " in " << text;
    }
  }
  EXPECT_GT(explained, 60U) << "it sees the statements";
}

TEST_F(sqlite_reads, a_list_by_tag_and_state_passes_over_no_others) {
  {
    const auto kept = open();
    for (std::int64_t id = 1; id <= 2; ++id) {
      auto one = job(id);
      one.tags = {"eu"};
      kept->push({&one, 1});
    }
    kept->cancel(job_id{1}, moment(1s));
  }
  run_sql(
      "BEGIN;"
      "CREATE TEMP TABLE many AS WITH RECURSIVE n(id) AS (SELECT 100 UNION ALL SELECT id + 1 FROM n"
      " WHERE id < 20000) SELECT id FROM n;"
      "INSERT INTO weft_job (id, queue, handler, priority, created, envelope) SELECT id, 1, 1, 0, 0, x'00'"
      " FROM many;"
      "INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)"
      " SELECT id, 1, 0, 0, 0, 0, 1 FROM many;"
      "INSERT INTO weft_tag (job, tag, state) SELECT id, 'eu', 3 FROM many;"
      "COMMIT;");
  const auto kept = open();
  const auto steps_of = [&](const list_filter& filter, std::int64_t expected) {
    const step_count steps;
    const auto found = open_store("sqlite:" + path_)->list(filter);
    EXPECT_EQ(found.size(), 1U);
    EXPECT_EQ(found.at(0).id, job_id{expected});
    return steps.value();
  };
  EXPECT_LT(steps_of({.queue = {}, .tag = "eu", .state = job_state::cancelled, .before = {}}, 1), 5000);
  EXPECT_LT(steps_of({.queue = "mail", .tag = "eu", .state = job_state::ready, .before = {}}, 2), 5000);
  EXPECT_LT(steps_of({.queue = {}, .tag = "eu", .state = {}, .before = {}, .limit = 1}, 20'000), 5000);
  EXPECT_EQ(kept->count_tagged("eu").done, 19'901);
}

TEST_F(sqlite_reads, the_oldest_ready_jobs_cost_as_much_as_there_are_lines_of_them) {
  {
    const auto kept = open();
    push(*kept, 1);
  }
  run_sql(
      "BEGIN; CREATE TEMP TABLE many AS WITH RECURSIVE n(id) AS (SELECT 100 UNION ALL SELECT id + 1 FROM n"
      " WHERE id < 50000) SELECT id FROM n;"
      "INSERT INTO weft_ready (queue, handler, priority, limit_id, run_at, id, attempts, backoffs, crashes,"
      " fence, flags) SELECT 1, 1, id % 3, 0, 5000000 - id, id, 0, 0, 0, 0, 0 FROM many; COMMIT;");
  const step_count steps;
  const auto found = open()->find_oldest_ready(moment(10s));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].since, moment(0s)) << "that of the first push";
  EXPECT_LT(steps.value(), 5000);
}

TEST_F(sqlite_reads, a_claim_costs_the_same_however_many_jobs_and_limits_wait) {
  const auto steps_of_claim = [&] {
    const step_count steps;
    const auto kept = open();
    kept->add_worker({.id = worker_id{1}, .host = "h", .pid = 1, .build = "b"});
    const auto before = steps.value();
    EXPECT_EQ(claim(*kept, 20).jobs.size(), 20U);
    return steps.value() - before;
  };
  const auto add_ready = [&](int from, int to) {
    run_sql(
        "BEGIN; CREATE TEMP TABLE many AS WITH RECURSIVE n(id) AS (SELECT " + std::to_string(from) +
        " UNION ALL SELECT id + 1 FROM n WHERE id < " + std::to_string(to) +
        ") SELECT id FROM n;"
        "INSERT INTO weft_limit (id, name, max, jobs) SELECT id, 'key ' || id, 10, 1 FROM many;"
        "INSERT INTO weft_job (id, queue, handler, priority, created, envelope, limit_id)"
        " SELECT id, 1, 1, 0, 0, x'00', id FROM many;"
        "INSERT INTO weft_ready (queue, handler, priority, limit_id, run_at, id, attempts, backoffs, crashes,"
        " fence, flags) SELECT 1, 1, 0, id, 0, id, 0, 0, 0, 0, 0 FROM many; COMMIT;");
  };
  {
    const auto kept = open();
    push(*kept, 1);
    EXPECT_EQ(claim(*kept).jobs.size(), 1U);
  }
  add_ready(100, 160);
  const auto of_few = steps_of_claim();
  add_ready(1000, 30'000);
  EXPECT_LT(steps_of_claim(), 2 * of_few);
}

TEST_F(sqlite_reads, a_long_one_holds_up_neither_pushes_nor_claims) {
  const auto kept = open();
  worker_row worker;
  worker.id = worker_id{1};
  kept->add_worker(worker);
  push(*kept, 1);
  std::promise<void> begun;
  std::promise<void> written;
  bool has_waited_in_vain = false;
  auto reads = std::async(std::launch::async, [&] {
    return kept->count_unroutable([&](std::string_view) {
      begun.set_value();
      has_waited_in_vain = written.get_future().wait_for(30s) == std::future_status::timeout;
      return false;
    });
  });
  begun.get_future().wait();
  push(*kept, 2);
  const auto claimed = claim(*kept, 2).jobs;
  EXPECT_EQ(claimed.size(), 2U);
  kept->beat(worker_id{1});
  written.set_value();
  EXPECT_EQ(reads.get(), 1);
  EXPECT_FALSE(has_waited_in_vain) << "the writes waited for it";
}

TEST_F(sqlite_reads, a_job_behind_hundreds_of_thousands_of_others_is_found) {
  {
    const auto kept = open();
    push(*kept, 1);
    kept->cancel(job_id{1}, moment(1s));
    push(*kept, 2);
  }
  run_sql(
      "BEGIN;"
      "CREATE TEMP TABLE many AS WITH RECURSIVE n(id) AS (SELECT 100 UNION ALL SELECT id + 1 FROM n"
      " WHERE id < 300000) SELECT id FROM n;"
      "INSERT INTO weft_job (id, queue, handler, priority, created, envelope) SELECT id, 1, 1, 0, 0, x'00' "
      "FROM "
      "many;"
      "INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)"
      " SELECT id, 1, 0, 0, 0, 0, 1 FROM many;"
      "COMMIT;");
  const auto kept = open();
  const auto cancelled = kept->list({.queue = "mail", .state = job_state::cancelled, .before = {}});
  ASSERT_EQ(cancelled.size(), 1U);
  EXPECT_EQ(cancelled[0].id, job_id{1});
  const auto others = kept->list({.queue = {}, .state = {}, .without_done = true, .before = {}});
  ASSERT_EQ(others.size(), 2U);
  EXPECT_EQ(others[0].id, job_id{2});
}

}  // namespace
}  // namespace weft::jobs
