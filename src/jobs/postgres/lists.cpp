#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "jobs/job_life.hpp"
#include "jobs/micros.hpp"
#include "jobs/postgres/job_rows.hpp"
#include "jobs/postgres/reads.hpp"

// Lists, newest first. Ids come from an index in their order, whatever is asked for, so a page costs as much
// as it holds: from the tables of the states where one is named, those of a queue from all of these, all from
// weft_job, and those of a tag from weft_tag. Jobs are passed over only with a tag and a queue, those of the
// tag in other queues, and among those that run, which are few. Ready ones of all queues are merged.

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::size_t listed_max = 10'000;
constexpr std::array all_states{job_state::scheduled,   job_state::ready,  job_state::running,
                                job_state::done,        job_state::dead,   job_state::cancelled,
                                job_state::quarantined, job_state::blocked};

// The queue is looked up where it is used, so that one that is not there has no jobs.
constexpr const char* of_queue =
    " AND queue > 0 AND queue = (SELECT id FROM weft.weft_queue WHERE name = $2)";

/// The end of a query. The number is a part of the text, so that the planner knows that it is small.
std::string page(std::size_t limit, const char* id = "id") {
  return std::string(" ORDER BY ") + id + " DESC LIMIT " + std::to_string(limit);
}

const char* table_of(job_state state) {
  switch (state) {
    case job_state::scheduled:
      return "weft.weft_scheduled";
    case job_state::ready:
      return "weft.weft_ready";
    case job_state::running:
      return "weft.weft_running";
    case job_state::done:
      return "weft.weft_done";
    case job_state::blocked:
      return "weft.weft_blocked";
    case job_state::dead:
    case job_state::cancelled:
    case job_state::quarantined:
      break;
  }
  return "weft.weft_dead";
}

bool is_given_up(job_state state) { return can(state, job_event::retried); }

std::string number_of(job_state state) { return std::to_string(static_cast<int>(state)); }

std::string ids_in(job_state state, bool has_queue, std::size_t limit) {
  std::string sql = std::string("SELECT id FROM ") + table_of(state) + " WHERE id < $1";
  if (is_given_up(state)) sql += " AND state = " + number_of(state);
  if (has_queue) sql += of_queue;
  return sql + page(limit);
}

std::string ids_tagged(job_state state, bool has_queue, std::size_t limit) {
  if (state == job_state::running) {
    return "SELECT id FROM weft.weft_running r WHERE id < $1" + std::string(has_queue ? of_queue : "") +
           " AND EXISTS (SELECT 1 FROM weft.weft_tag t WHERE t.job = r.id AND t.tag = $3)" + page(limit);
  }
  // Running ones are told from ready ones by weft_running, which is small.
  std::string sql =
      "SELECT t.job AS id FROM weft.weft_tag t WHERE t.tag = $3 AND t.state = " + number_of(state) +
      " AND t.job < $1";
  if (has_queue) {
    sql +=
        " AND (SELECT id FROM weft.weft_queue WHERE name = $2) ="
        " (SELECT j.queue FROM weft.weft_job j WHERE j.id = t.job)";
  }
  if (state == job_state::ready) {
    sql += " AND NOT EXISTS (SELECT 1 FROM weft.weft_running r WHERE r.id = t.job)";
  }
  return sql + page(limit, "t.job");
}

std::string ids_of(const list_filter& filter) {
  const bool has_queue = !filter.queue.empty();
  const bool has_tag = !filter.tag.empty();
  const std::size_t limit = std::min(filter.limit, listed_max);
  const auto of_state = [&](job_state state) {
    return has_tag ? ids_tagged(state, has_queue, limit) : ids_in(state, has_queue, limit);
  };
  if (filter.state) return of_state(*filter.state);
  if (!has_queue && !has_tag && !filter.without_done) {
    return "SELECT id FROM weft.weft_job WHERE id < $1" + page(limit);
  }
  std::string sql;
  for (const auto state : all_states) {
    if (state == job_state::done && filter.without_done) continue;
    sql += (sql.empty() ? "(" : " UNION ALL (") + of_state(state) + ")";
  }
  return "SELECT id FROM (" + sql + ") s" + page(limit);
}

}  // namespace

std::string list_statement(const list_filter& filter) {
  // OFFSET 0: a job for each id, by its index, whatever the planner thinks of their number.
  return "WITH ids AS MATERIALIZED (" + ids_of(filter) + ") SELECT " + std::string(job_columns) +
         ", ''::text FROM ids CROSS JOIN LATERAL (SELECT * FROM weft.weft_job w WHERE w.id = ids.id OFFSET "
         "0) j" +
         job_joins + " ORDER BY j.id DESC";
}

std::vector<stored_job> list_jobs(caller& by, const list_filter& filter) {
  parameters with;
  with.bigint(filter.before ? static_cast<std::int64_t>(*filter.before) : INT64_MAX);
  // One that the statement does not name has to have a type all the same.
  if (!filter.queue.empty() || !filter.tag.empty()) with.text(filter.queue);
  if (!filter.tag.empty()) with.text(filter.tag);
  const std::string sql = list_statement(filter);
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run(sql, with);
    std::vector<stored_job> jobs;
    for (std::size_t row = 0; row < rows.rows(); ++row) jobs.push_back(read_job(rows, row));
    return jobs;
  });
}

}  // namespace weft::inline v1::jobs::postgres
