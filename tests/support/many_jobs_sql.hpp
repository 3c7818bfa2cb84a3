#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft_test {

/// Statements that put many jobs beside the only three that a database has, which are done, dead and ready: a
/// quarter of `count` like each of these, in turns by id, so that a list of all has to merge them, and a
/// quarter that 100 limits hold back. Ids below 4 * 10^9 are theirs. `in_postgres`: else in SQLite.
inline std::string many_jobs_sql(bool in_postgres, std::int64_t count) {
  const auto filled = [&](std::string sql) {
    const auto number = std::to_string(count / 4);
    const std::string numbers = in_postgres ? "generate_series(1, " + number + ") n(i)" : "n";
    const auto put = [&](std::string_view mark, const std::string& text) {
      for (auto at = sql.find(mark); at != std::string::npos; at = sql.find(mark, at + text.size()))
        sql.replace(at, mark.size(), text);
    };
    put("$with",
        in_postgres ? ""
                    : "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT " + number + ")");
    put("$numbers", numbers);
    put("$number", number);
    return sql + "; ";
  };
  std::string sql;  // what is ready comes behind what is made of it: SQLite looks through all of them
  if (in_postgres) {
    sql += filled(
        "INSERT INTO weft_done SELECT 4 * i, finished, fence, owner, started, ended, queue, 0, 0, 0, attempt,"
        " outcome, error, records, result FROM $numbers, weft_done WHERE id > 4000000000");
    sql += filled(
        "INSERT INTO weft_dead SELECT 4 * i + 1, finished, fence, queue, state, attempts, 0, 0, 0"
        " FROM $numbers, weft_dead WHERE id > 4000000000");
    sql += filled(
        "INSERT INTO weft_attempt SELECT d.id, a.fence, a.owner, a.started, a.ended, a.attempt, a.outcome,"
        " a.error, a.records FROM weft_dead d, weft_attempt a WHERE d.id < 4000000000 AND a.outcome = 1");
    sql += filled(
        "INSERT INTO weft_limit (id, max, running, token_ns, burst, name)"
        " SELECT i, 1, 1, 0, 1, 'tenant ' || i FROM generate_series(1, 100) n(i)");
    sql += filled(
        "INSERT INTO weft_blocked SELECT 4 * i + 3, run_at + i, 0, 1 + i % 100, queue, handler, 0, 0, 0, 0, "
        "0,"
        " 0 FROM $numbers, weft_ready WHERE id > 4000000000");
    sql += filled(
        "INSERT INTO weft_ready SELECT 4 * i + 2, run_at + i, 0, 0, queue, handler, 0, 0, 0, 0, 0"
        " FROM $numbers, weft_ready WHERE id > 4000000000");
    sql += filled(
        "INSERT INTO weft_count SELECT queue, state, handler, $number FROM (SELECT queue, 3 AS state, 0 AS "
        "handler"
        " FROM weft_done WHERE id > 4000000000 UNION ALL SELECT queue, 4, 0 FROM weft_dead WHERE id > "
        "4000000000"
        " UNION ALL SELECT queue, 1, handler FROM weft_ready WHERE id > 4000000000"
        " UNION ALL SELECT queue, 7, handler FROM weft_ready WHERE id > 4000000000) kinds");
    sql += filled(
        "INSERT INTO weft_job (id, created, limit_id, queue, handler, priority, envelope)"
        " SELECT s.id, j.created, s.limit_id, j.queue, j.handler, 0, j.envelope FROM"
        " (SELECT id, 1 AS kind, 0 AS limit_id FROM weft_done UNION ALL SELECT id, 2, 0 FROM weft_dead"
        " UNION ALL SELECT id, 3, 0 FROM weft_ready UNION ALL SELECT id, 3, limit_id FROM weft_blocked) s"
        " JOIN (SELECT *, row_number() OVER (ORDER BY id) AS kind FROM weft_job) j ON j.kind = s.kind"
        " WHERE s.id < 4000000000");
    return sql + "ANALYZE";
  }
  sql += filled(
      "$with INSERT INTO weft_done SELECT 4 * i, queue, finished, 0, 0, 0, fence FROM $numbers, weft_done"
      " WHERE id > 4000000000");
  sql += filled(
      "$with INSERT INTO weft_dead SELECT 4 * i + 1, queue, state, finished, attempts, 0, 0, fence, 0"
      " FROM $numbers, weft_dead WHERE id > 4000000000");
  sql += filled(
      "INSERT INTO weft_attempt SELECT d.id, a.fence, attempt, owner, outcome, started, ended, error, records"
      " FROM weft_dead d, weft_attempt a WHERE d.id < 4000000000 AND a.outcome = 1");
  sql += filled(
      "$with INSERT INTO weft_limit (id, name, max, running, jobs)"
      " SELECT i, 'tenant ' || i, 1, 1, $number / 100 FROM n WHERE i <= 100");
  sql += filled(
      "$with INSERT INTO weft_blocked (id, queue, priority, handler, run_at, attempts, backoffs, crashes, "
      "fence,"
      " flags, limit_id, pending) SELECT 4 * i + 3, queue, 0, handler, run_at + i, 0, 0, 0, 0, 0, 1 + i % "
      "100, 0"
      " FROM $numbers, weft_ready WHERE id > 4000000000");
  sql += filled(
      "$with INSERT INTO weft_ready SELECT queue, handler, 0, 0, run_at + i, 4 * i + 2, 0, 0, 0, 0, 0"
      " FROM $numbers, weft_ready WHERE id > 4000000000");
  sql += filled(
      "INSERT INTO weft_job (id, queue, handler, priority, created, envelope, limit_id)"
      " SELECT s.id, j.queue, j.handler, 0, j.created, j.envelope, s.limit_id FROM"
      " (SELECT id, 1 AS kind, 0 AS limit_id FROM weft_done UNION ALL SELECT id, 2, 0 FROM weft_dead"
      " UNION ALL SELECT id, 3, 0 FROM weft_ready UNION ALL SELECT id, 3, limit_id FROM weft_blocked) s"
      " JOIN (SELECT *, row_number() OVER (ORDER BY id) AS kind FROM weft_job) j ON j.kind = s.kind"
      " WHERE s.id < 4000000000");
  sql += filled("UPDATE weft_count SET jobs = jobs + $number WHERE jobs = 1");
  sql += filled("INSERT INTO weft_count SELECT queue, 7, handler, $number FROM weft_count WHERE state = 1");
  return sql;
}

}  // namespace weft_test
