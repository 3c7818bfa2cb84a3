#include "jobs/sqlite/database.hpp"

// The ends of attempts. Whoever ends one must still hold the fence: the row in weft_running names it.

namespace weft::jobs::sqlite {
namespace {

std::int64_t micros(moment at) { return at.time_since_epoch().count(); }

}  // namespace

std::optional<database::held> database::find_running(std::int64_t id) {
  const used row =
      use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, owner, started"
          " FROM weft_running WHERE id = ?",
          "find a running job");
  if (!row->bind(id).step()) return std::nullopt;
  return held{{row->integer(0), row->integer(1), row->integer(2), row->integer(3), row->integer(4),
               row->integer(5), row->integer(6), row->integer(7), row->integer(8)},
              row->integer(9),
              row->integer(10)};
}

void database::leave_running(std::int64_t id) {
  use("DELETE FROM weft_running WHERE id = ?", "end an attempt")->bind(id).run();
}

bool database::holds(job_id id, worker_id owner, std::int64_t fence) {
  const auto running = find_running(static_cast<std::int64_t>(id));
  return running && running->owner == static_cast<std::int64_t>(owner) && running->fence == fence;
}

bool database::finish(const attempt_end& end) {
  const auto running = find_running(static_cast<std::int64_t>(end.id));
  if (!running || running->owner != static_cast<std::int64_t>(end.owner) || running->fence != end.fence)
    return false;
  place job = *running;
  leave_running(job.id);
  if (end.next != next_step::released) put_attempt(job, running->owner, end.record);
  switch (end.next) {
    case next_step::released:
      put_ready(job);
      break;
    case next_step::again:
      job.attempts += end.counts ? 1 : 0;
      job.backoffs += end.backs_off ? 1 : 0;
      job.run_at = micros(end.run_at);
      put_waiting(job, end.now);
      break;
    case next_step::done:
      put_ended(job, job_state::done, end.now);
      break;
    case next_step::dead:
      job.attempts += end.counts ? 1 : 0;
      put_ended(job, job_state::dead, end.now);
      break;
    case next_step::cancelled:
      put_ended(job, job_state::cancelled, end.now);
      break;
    case next_step::quarantined:
      put_ended(job, job_state::quarantined, end.now);
      break;
  }
  return true;
}

void database::put_attempt(const place& job, std::int64_t owner, const stored_attempt& attempt) {
  const used row =
      use("INSERT INTO weft_attempt (job, fence, attempt, owner, outcome, started, ended, error, records)"
          " VALUES (?,?,?,?,?,?,?,?,?)",
          "keep an attempt");
  row->bind(job.id)
      .bind(job.fence)
      .bind(std::int64_t{attempt.attempt})
      .bind(owner)
      .bind(static_cast<std::int64_t>(attempt.outcome))
      .bind(micros(attempt.started))
      .bind(micros(attempt.ended));
  for (const std::string* const bytes : {&attempt.error, &attempt.records}) {
    bytes->empty() ? row->bind_null() : row->bind_blob(*bytes);
  }
  row->run();
}

void database::put_ended(const place& job, job_state state, moment now) {
  const bool is_done = state == job_state::done;
  const used row =
      is_done ? use("INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)"
                    " VALUES (?,?,?,?,?,?,?)",
                    "complete a job")
              : use("INSERT INTO weft_dead (id, queue, finished, attempts, backoffs, crashes, fence, state)"
                    " VALUES (?,?,?,?,?,?,?,?)",
                    "give a job up");
  row->bind(job.id)
      .bind(job.queue)
      .bind(micros(now))
      .bind(job.attempts)
      .bind(job.backoffs)
      .bind(job.crashes)
      .bind(job.fence);
  if (!is_done) row->bind(static_cast<std::int64_t>(state));
  row->run();
}

std::optional<database::place> database::take_waiting(std::int64_t id) {
  for (const bool ready : {true, false}) {
    std::optional<place> job;
    {
      const used row =
          ready ? use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence FROM "
                      "weft_ready"
                      " WHERE id = ?",
                      "find a ready job")
                : use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence"
                      " FROM weft_scheduled WHERE id = ?",
                      "find a scheduled job");
      if (row->bind(id).step()) {
        job = place{row->integer(0), row->integer(1), row->integer(2), row->integer(3), row->integer(4),
                    row->integer(5), row->integer(6), row->integer(7), row->integer(8)};
      }
    }
    if (!job) continue;
    (ready ? use("DELETE FROM weft_ready WHERE id = ?", "cancel a job")
           : use("DELETE FROM weft_scheduled WHERE id = ?", "cancel a job"))
        ->bind(id)
        .run();
    return job;
  }
  return std::nullopt;
}

bool database::cancel(job_id id, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  if (const auto waiting = take_waiting(number)) {
    put_ended(*waiting, job_state::cancelled, now);
    return true;
  }
  if (!find_running(number)) return false;
  use("UPDATE weft_running SET cancel = 1 WHERE id = ?", "ask for a cancellation")->bind(number).run();
  return true;
}

bool database::retry(job_id id, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  place job{};
  {
    const used row =
        use("SELECT d.id, d.queue, j.handler, j.priority, d.crashes, d.fence FROM weft_dead d JOIN weft_job "
            "j ON j.id = d.id"
            " WHERE d.id = ?",
            "find a dead job");
    if (!row->bind(number).step()) return false;
    job = {row->integer(0), row->integer(1), row->integer(2), row->integer(3), micros(now), 0, 0, 0,
           row->integer(5)};
  }
  use("DELETE FROM weft_dead WHERE id = ?", "retry a job")->bind(number).run();
  put_ready(job);
  return true;
}

}  // namespace weft::jobs::sqlite
