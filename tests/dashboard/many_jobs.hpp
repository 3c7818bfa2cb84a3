#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

#include "dashboard/site_fixture.hpp"
#include "support/scratch_folder.hpp"

namespace weft::dashboard {

/// A site over thousands of jobs in SQLite; WEFT_DASHBOARD_JOBS=1000000 makes a million.
class dashboard_many : public site_fixture {
 protected:
  dashboard_many() {
    if (const char* const wanted = std::getenv("WEFT_DASHBOARD_JOBS"))
      jobs_ = std::strtoll(wanted, nullptr, 10);
  }

  /// One job of each kind by the queue, and many like them by the side.
  void fill() {
    store_ = jobs::open_store("sqlite:" + folder_ / "jobs.db");
    jobs::queue queue(store_, {.name = "mail", .keys = keys_});
    queue.push(closure{named_closure<"many.done">([](int) {}), 1});
    queue.push(closure{named_closure<"many.dead">([](int) { throw std::runtime_error("no such host"); }), 1},
               {.max_attempts = 1});
    services app;
    run_options roomy;
    roomy.stack_bytes = 256 * 1024;
    run([&] { jobs::worker(queue, app, {.pass_on_logs = false}).run_due(); }, roomy);
    queue.push(closure{named_closure<"many.ready">([](int) {}), 1});
    for (const char* const sql : {done_sql, dead_sql, ready_sql, attempts_sql, jobs_sql, counts_sql})
      run_sql(sql);
  }

  void run_sql(std::string sql) {
    const auto number = std::to_string(jobs_ / 3);
    for (auto at = sql.find('$'); at != std::string::npos; at = sql.find('$')) sql.replace(at, 1, number);
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "jobs.db").c_str(), &database), SQLITE_OK);
    char* problem = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &problem), SQLITE_OK)
        << problem << " in " << sql;
    sqlite3_free(problem);
    sqlite3_close(database);
  }

  // Ids by state, in turns: a list of all has to merge them.
  static constexpr const char* done_sql =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT $) INSERT INTO weft_done"
      " SELECT 3 * i, queue, finished, 0, 0, 0, fence FROM n, weft_done WHERE id > 1000000000000";
  static constexpr const char* dead_sql =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT $) INSERT INTO weft_dead"
      " SELECT 3 * i + 1, queue, state, finished, attempts, 0, 0, fence, 0 FROM n, weft_dead WHERE id > "
      "1000000000000";
  static constexpr const char* ready_sql =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT $) INSERT INTO weft_ready"
      " SELECT queue, handler, 0, 0, run_at + i, 3 * i + 2, 0, 0, 0, 0, 0 FROM n, weft_ready WHERE id > "
      "1000000000000";
  static constexpr const char* attempts_sql =
      "INSERT INTO weft_attempt SELECT d.id, a.fence, attempt, owner, outcome, started, ended, error, records"
      " FROM weft_dead d, weft_attempt a WHERE d.id < 1000000000000 AND a.outcome = 1";
  static constexpr const char* jobs_sql =
      "INSERT INTO weft_job SELECT s.id, j.queue, j.handler, 0, j.created, j.envelope, 0, NULL FROM"
      " (SELECT id, 1 AS kind FROM weft_done UNION ALL SELECT id, 2 FROM weft_dead UNION ALL SELECT id, 3 "
      "FROM"
      " weft_ready) s JOIN (SELECT *, row_number() OVER (ORDER BY id) AS kind FROM weft_job) j ON j.kind = "
      "s.kind"
      " WHERE s.id < 1000000000000";
  static constexpr const char* counts_sql = "UPDATE weft_count SET jobs = jobs + $ WHERE jobs = 1";

  /// Somebody wants to see how long all takes.
  static bool is_asked_for() { return std::getenv("WEFT_DASHBOARD_JOBS") != nullptr; }

  const weft_test::scratch_folder folder_;
  std::int64_t jobs_ = 6'000;
};

}  // namespace weft::dashboard
