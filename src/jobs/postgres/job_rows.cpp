#include "jobs/postgres/job_rows.hpp"

#include "jobs/job_life.hpp"
#include "jobs/micros.hpp"

namespace weft::inline v1::jobs::postgres {

const char* const job_columns =
    "j.id, q.name, h.identity, j.priority, j.created, j.envelope, s.state, s.at, s.attempts, s.backoffs, "
    "s.crashes,"
    " s.fence, s.owner, s.cancel, ARRAY(SELECT t.tag FROM weft.weft_tag t WHERE t.job = j.id ORDER BY t.tag)";

const char* const job_joins =
    " JOIN weft.weft_queue q ON q.id = j.queue JOIN weft.weft_handler h ON h.id = j.handler CROSS JOIN "
    "LATERAL ("
    "SELECT 1 AS state, run_at AS at, attempts, backoffs, crashes, fence, 0::bigint AS owner, false AS cancel"
    " FROM weft.weft_ready r WHERE r.id = j.id"
    " UNION ALL SELECT 0, run_at, attempts, backoffs, crashes, fence, 0, false FROM weft.weft_scheduled r "
    "WHERE r.id = j.id"
    " UNION ALL SELECT 2, started, attempts, backoffs, crashes, fence, owner, cancel FROM weft.weft_running "
    "r WHERE r.id = j.id"
    " UNION ALL SELECT 7, run_at, attempts, backoffs, crashes, fence, 0, false FROM weft.weft_blocked r "
    "WHERE r.id = j.id"
    " UNION ALL SELECT 3, finished, attempts, backoffs, crashes, fence, 0, false FROM weft.weft_done r WHERE "
    "r.id = j.id"
    " UNION ALL SELECT state, finished, attempts, backoffs, crashes, fence, 0, false FROM weft.weft_dead r "
    "WHERE r.id = j.id"
    ") s";

stored_job read_job(const result& rows, std::size_t row) {
  stored_job job;
  job.id = job_id{rows.integer(row, 0)};
  job.queue = rows.text(row, 1);
  job.handler = rows.text(row, 2);
  job.priority = static_cast<int>(rows.integer(row, 3));
  job.created = moment_at(rows.integer(row, 4));
  job.envelope = rows.bytes(row, 5);
  job.state = static_cast<job_state>(rows.integer(row, 6));
  if (is_ended(job.state)) {
    job.finished = moment_at(rows.integer(row, 7));
  } else {
    job.run_at = moment_at(rows.integer(row, 7));
  }
  job.attempts = static_cast<int>(rows.integer(row, 8));
  job.backoffs = static_cast<int>(rows.integer(row, 9));
  job.crashes = static_cast<int>(rows.integer(row, 10));
  job.fence = rows.integer(row, 11);
  if (job.state == job_state::running) {
    job.owner = worker_id{rows.integer(row, 12)};
    job.cancel_requested = rows.boolean(row, 13);
  }
  for (const auto& tag : rows.texts(row, 14)) job.tags.emplace_back(tag.value_or(""));
  job.limit = rows.text(row, job_column_count);
  return job;
}

}  // namespace weft::inline v1::jobs::postgres
