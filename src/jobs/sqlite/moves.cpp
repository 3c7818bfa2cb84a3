#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// The one way from state to state: the job's row leaves the table of one and enters that of the other.

namespace weft::inline v1::jobs::sqlite {
database::place database::place_of(const used& row) {
  return {row->integer(0), row->integer(1), row->integer(2), row->integer(3),
          row->integer(4), row->integer(5), row->integer(6), row->integer(7),
          row->integer(8), row->integer(9), row->integer(10)};
}

database::held database::held_of(const used& row) {
  return {place_of(row), row->integer(11), row->integer(12), row->integer(13) != 0};
}

void database::move(const place& job, job_state from, job_event what, const arrival& at) {
  const job_state to = state_after(from, what);
  leave(job, from);
  enter(job, to, at);
  if ((job.flags & flag_expires) != 0) move_expiry(job, from, to);
  if ((job.flags & flag_tagged) != 0 && to != job_state::running) move_tags(job.id, to);
  if ((job.flags & flag_unique) != 0 && !is_waiting(to)) release_key(job, to, at.now);
  if ((job.flags & (flag_parent | flag_child)) != 0 && is_ended(to)) release_children(job, to, at.now);
  if (job.limit != 0) count_limit(job, from, to, at.now);
}

void database::leave(const place& job, job_state from) {
  count(job.queue, from, job.handler, -1);
  switch (from) {
    case job_state::ready:
      use("DELETE FROM weft_ready WHERE queue = ? AND handler = ? AND priority = ? AND limit_id = ?"
          " AND run_at = ? AND id = ?",
          "take a ready job")
          ->bind(job.queue)
          .bind(job.handler)
          .bind(job.priority)
          .bind(job.limit)
          .bind(job.run_at)
          .bind(job.id)
          .run();
      break;
    case job_state::scheduled:
      use("DELETE FROM weft_scheduled WHERE run_at = ? AND id = ?", "take a scheduled job")
          ->bind(job.run_at)
          .bind(job.id)
          .run();
      break;
    case job_state::blocked:
      use("DELETE FROM weft_blocked WHERE id = ?", "take a blocked job")->bind(job.id).run();
      break;
    case job_state::running:
      use("DELETE FROM weft_running WHERE id = ?", "end an attempt")->bind(job.id).run();
      break;
    case job_state::done:
      use("DELETE FROM weft_done WHERE id = ?", "take a done job")->bind(job.id).run();
      break;
    case job_state::dead:
    case job_state::cancelled:
    case job_state::quarantined:
      use("DELETE FROM weft_dead WHERE id = ?", "take a dead job")->bind(job.id).run();
      break;
  }
}

void database::enter(const place& job, job_state to, const arrival& at) {
  count(job.queue, to, job.handler, 1);
  switch (to) {
    case job_state::ready:
      put_waiting(
          "INSERT INTO weft_ready"
          " (id, queue, priority, handler, run_at, attempts, backoffs, crashes, fence, flags, limit_id)"
          " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
          "make a job ready", job);
      break;
    case job_state::scheduled:
      put_waiting(
          "INSERT INTO weft_scheduled"
          " (id, queue, priority, handler, run_at, attempts, backoffs, crashes, fence, flags, limit_id)"
          " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
          "schedule a job", job);
      break;
    case job_state::blocked:
      put_blocked(job, at);
      break;
    case job_state::running:
      put_running(job, at);
      break;
    case job_state::done:
      put_ended(
          "INSERT INTO weft_done (id, queue, finished, attempts, backoffs, crashes, fence)"
          " VALUES (?,?,?,?,?,?,?)",
          "complete a job", job, to, at.now);
      break;
    case job_state::dead:
    case job_state::cancelled:
    case job_state::quarantined:
      put_ended(
          "INSERT INTO weft_dead (id, queue, finished, attempts, backoffs, crashes, fence, state, flags)"
          " VALUES (?,?,?,?,?,?,?,?,?)",
          "give a job up", job, to, at.now);
      break;
  }
}

/// The columns of a waiting or running job, in the order of all inserts here; more may follow.
statement& database::bind_place(const used& row, const place& job) {
  return row->bind(job.id)
      .bind(job.queue)
      .bind(job.priority)
      .bind(job.handler)
      .bind(job.run_at)
      .bind(job.attempts)
      .bind(job.backoffs)
      .bind(job.crashes)
      .bind(job.fence)
      .bind(job.flags)
      .bind(job.limit);
}

void database::put_waiting(const char* insert, const char* purpose, const place& job) {
  has_new_work_ = true;
  bind_place(use(insert, purpose), job).run();
}

void database::put_blocked(const place& job, const arrival& at) {
  bind_place(
      use("INSERT INTO weft_blocked (id, queue, priority, handler, run_at, attempts, backoffs, crashes, "
          "fence, flags, limit_id, pending)"
          " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
          "block a job"),
      job)
      .bind(at.pending)
      .run();
}

void database::put_running(const place& job, const arrival& at) {
  bind_place(
      use("INSERT INTO weft_running (id, queue, priority, handler, run_at, attempts, backoffs, crashes, "
          "fence, flags, limit_id, owner, started)"
          " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
          "claim a job"),
      job)
      .bind(at.owner)
      .bind(micros(at.now))
      .run();
}

void database::put_ended(const char* insert, const char* purpose, const place& job, job_state state,
                         moment now) {
  ended_.push_back(job.id);
  const used row = use(insert, purpose);
  row->bind(job.id)
      .bind(job.queue)
      .bind(micros(now))
      .bind(job.attempts)
      .bind(job.backoffs)
      .bind(job.crashes)
      .bind(job.fence);
  if (state != job_state::done) row->bind(static_cast<std::int64_t>(state)).bind(job.flags);
  row->run();
}

}  // namespace weft::inline v1::jobs::sqlite
