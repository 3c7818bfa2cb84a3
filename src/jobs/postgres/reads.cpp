#include "jobs/postgres/reads.hpp"

#include <algorithm>

#include <cstdint>
#include <string>

#include <weft/context/wait.hpp>

#include "jobs/job_life.hpp"
#include "jobs/micros.hpp"
#include "jobs/postgres/job_rows.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

/// Behind those of job_rows: the limit, what it waits for, progress, result, attempts in order of their
/// fences.
const std::string find_statement =
    "SELECT " + std::string(job_columns) +
    ", coalesce((SELECT name FROM weft.weft_limit l WHERE l.id = j.limit_id), ''),"
    " ARRAY(SELECT d.parent FROM weft.weft_dependency d WHERE d.child = j.id ORDER BY d.parent),"
    " r.progress_done, r.progress_total, r.progress_note, d.result,"
    " a.attempt, a.fence, a.owner, a.outcome, a.started, a.ended, a.error, a.records"
    " FROM weft.weft_job j" +
    job_joins +
    " LEFT JOIN weft.weft_running r ON r.id = j.id LEFT JOIN weft.weft_done d ON d.id = j.id"
    " CROSS JOIN LATERAL (SELECT coalesce(array_agg(attempt ORDER BY fence), '{}') AS attempt,"
    " coalesce(array_agg(fence ORDER BY fence), '{}') AS fence,"
    " coalesce(array_agg(owner ORDER BY fence), '{}') AS owner,"
    " coalesce(array_agg(outcome ORDER BY fence), '{}') AS outcome,"
    " coalesce(array_agg(started ORDER BY fence), '{}') AS started,"
    " coalesce(array_agg(ended ORDER BY fence), '{}') AS ended,"
    " coalesce(array_agg(error ORDER BY fence), '{}') AS error,"
    " coalesce(array_agg(records ORDER BY fence), '{}') AS records FROM ("
    "SELECT attempt, fence, owner, outcome, started, ended, error, records FROM weft.weft_attempt t WHERE "
    "t.job = j.id"
    " UNION ALL SELECT attempt, fence, owner, outcome, started, ended, error, records FROM weft.weft_done t"
    " WHERE t.id = j.id AND attempt IS NOT NULL) t) a WHERE j.id = $1";

std::vector<stored_attempt> read_past(const result& rows, std::size_t first) {
  const auto attempts = rows.integers(0, first);
  const auto fences = rows.integers(0, first + 1);
  const auto owners = rows.integers(0, first + 2);
  const auto outcomes = rows.integers(0, first + 3);
  const auto started = rows.integers(0, first + 4);
  const auto ended = rows.integers(0, first + 5);
  const auto errors = rows.texts(0, first + 6);
  const auto records = rows.texts(0, first + 7);
  std::vector<stored_attempt> past;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    past.push_back({static_cast<int>(attempts[i]), fences[i], worker_id{owners[i]},
                    static_cast<attempt_outcome>(outcomes[i]), moment_at(started[i]), moment_at(ended[i]),
                    std::string(errors[i].value_or("")), std::string(records[i].value_or(""))});
  }
  return past;
}

stored_job read_found(const result& rows) {
  stored_job job = read_job(rows, 0);
  constexpr std::size_t next = job_column_count + 1;
  for (const std::int64_t id : rows.integers(0, next)) job.waits_for.push_back(job_id{id});
  if (const auto done = rows.maybe_integer(0, next + 1)) {
    job.progress = job_progress{*done, rows.integer(0, next + 2), std::string(rows.text(0, next + 3))};
  }
  if (const auto value = rows.maybe_bytes(0, next + 4)) job.result = std::string(*value);
  job.past = read_past(rows, next + 5);
  return job;
}

}  // namespace

std::optional<stored_job> find_job(caller& by, job_id id) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(id));
  return by.run_idempotent([&](connection& on) -> std::optional<stored_job> {
    const auto rows = on.run(find_statement, with);
    return rows.rows() == 0 ? std::nullopt : std::optional(read_found(rows));
  });
}

std::vector<queue_stats> read_stats(caller& by) {
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "SELECT q.name, q.paused, c.state, c.jobs::bigint FROM weft.weft_queue q LEFT JOIN ("
        "SELECT queue, state, sum(jobs) AS jobs FROM weft.weft_count GROUP BY queue, state HAVING sum(jobs) "
        "> 0"
        " UNION ALL SELECT queue, 2, count(*) FROM weft.weft_running GROUP BY queue) c ON c.queue = q.id"
        " WHERE q.paused OR c.jobs IS NOT NULL ORDER BY q.name");
    std::vector<queue_stats> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const auto name = rows.text(row, 0);
      if (all.empty() || all.back().queue != name) {
        all.emplace_back();
        all.back().queue = name;
        all.back().paused = rows.boolean(row, 1);
      }
      if (rows.is_null(row, 2)) continue;
      count_of(all.back(), static_cast<job_state>(rows.integer(row, 2))) = rows.integer(row, 3);
    }
    return all;
  });
}

// From one line of ready jobs to the next by the index that claims read: the first of a line has waited
// longest.
std::vector<oldest_ready> find_oldest_ready(caller& by, moment now) {
  parameters with;
  with.bigint(micros(now));
  with.bigint(static_cast<std::int64_t>(oldest_ready_lines_max));
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "WITH RECURSIVE line AS ((SELECT 1::bigint AS number, queue, handler, priority, limit_id, run_at"
        " FROM weft.weft_ready WHERE limit_id >= 0"
        " ORDER BY queue, handler, priority, limit_id, run_at LIMIT 1)"
        " UNION ALL SELECT line.number + 1, n.queue, n.handler, n.priority, n.limit_id, n.run_at"
        " FROM line CROSS JOIN LATERAL (SELECT r.queue, r.handler, r.priority, r.limit_id, r.run_at"
        " FROM weft.weft_ready r WHERE r.limit_id >= 0"
        " AND (r.queue, r.handler, r.priority, r.limit_id, r.run_at)"
        " > (line.queue, line.handler, line.priority, line.limit_id, 9223372036854775807)"
        " ORDER BY r.queue, r.handler, r.priority, r.limit_id, r.run_at LIMIT 1) n WHERE line.number < $2)"
        " SELECT q.name, min(o.run_at)::bigint FROM (SELECT queue, run_at FROM line"
        " UNION ALL (SELECT queue, run_at FROM weft.weft_scheduled WHERE run_at <= $1"
        " ORDER BY run_at, id LIMIT $2)) o JOIN weft.weft_queue q ON q.id = o.queue"
        " GROUP BY q.name ORDER BY q.name",
        with, {.prepare = false});  // seldom, and a plan for as many rows as there are now
    std::vector<oldest_ready> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      all.push_back({std::string(rows.text(row, 0)), moment_at(rows.integer(row, 1))});
    }
    return all;
  });
}

state_counts count_tagged(caller& by, std::string_view tag) {
  parameters with;
  with.text(tag);
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "SELECT state, count(*) FROM weft.weft_tag WHERE tag = $1 GROUP BY state"
        " UNION ALL SELECT 2, count(*) FROM weft.weft_running r"
        " WHERE EXISTS (SELECT 1 FROM weft.weft_tag t WHERE t.job = r.id AND t.tag = $1)",
        with);
    state_counts counts;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      count_of(counts, static_cast<job_state>(rows.integer(row, 0))) = rows.integer(row, 1);
    }
    counts.ready -= counts.running;  // weft_tag has them as ready
    return counts;
  });
}

// From one tag to the next by the index, which has its jobs side by side.
std::vector<std::string> list_tags(caller& by, std::string_view start, std::string_view before,
                                   std::size_t limit) {
  constexpr std::string_view last_character = "\xf4\x8f\xbf\xbf";
  parameters with;
  with.text(start);
  with.text(before.empty() ? std::string(start) + std::string(last_character) : std::string(before));
  with.bigint(static_cast<std::int64_t>(std::min<std::size_t>(limit, INT32_MAX)));
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "WITH RECURSIVE found AS ((SELECT tag FROM weft.weft_tag WHERE tag >= $1 AND tag < $2 ORDER BY tag "
        "DESC LIMIT 1)"
        " UNION ALL SELECT (SELECT t.tag FROM weft.weft_tag t WHERE t.tag >= $1 AND t.tag < found.tag"
        " ORDER BY t.tag DESC LIMIT 1) FROM found WHERE found.tag IS NOT NULL)"
        " SELECT tag FROM found WHERE tag IS NOT NULL LIMIT $3",
        with);
    std::vector<std::string> all;
    for (std::size_t row = 0; row < rows.rows(); ++row) all.emplace_back(rows.text(row, 0));
    return all;
  });
}

std::int64_t count_unroutable(caller& by, const std::function<bool(std::string_view handler)>& routable) {
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(
        "SELECT h.identity, sum(c.jobs)::bigint FROM weft.weft_count c JOIN weft.weft_handler h ON h.id = "
        "c.handler"
        " WHERE c.handler <> 0 GROUP BY h.id, h.identity HAVING sum(c.jobs) > 0");
    const no_wait_scope no_wait("the choice of jobs to count");
    std::int64_t count = 0;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      if (!routable(rows.text(row, 0))) count += rows.integer(row, 1);
    }
    return count;
  });
}

}  // namespace weft::inline v1::jobs::postgres
