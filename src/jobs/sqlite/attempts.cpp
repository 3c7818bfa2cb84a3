#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// The ends of attempts. Whoever ends one must still hold the fence: the row in weft_running names it.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::int64_t retried_at_once_max = 500;

}  // namespace

std::optional<database::held> database::find_running(std::int64_t id) {
  const used row =
      use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id, "
          "owner, "
          "started, "
          "cancel"
          " FROM weft_running WHERE id = ?",
          "find a running job");
  if (!row->bind(id).step()) return std::nullopt;
  return held_of(row);
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
  if (end.next != next_step::released) {
    put_attempt(job, running->owner, end.record);
  } else {
    give_token_back(*running, end.now);
  }
  job.attempts += spends_attempt(end) ? 1 : 0;
  job.crashes += end.crashed ? 1 : 0;
  if (end.next == next_step::again) {
    job.backoffs += end.backs_off ? 1 : 0;
    job.run_at = micros(end.run_at);
  }
  move(job, job_state::running, event_of(end, running->cancel_requested), {.now = end.now});
  if (end.next == next_step::done && end.result) {
    use("INSERT INTO weft_result (job, value) VALUES (?,?)", "keep a result")
        ->bind(job.id)
        .bind_blob(*end.result)
        .run();
  }
  if (end.next == next_step::done) {
    for (const auto& one : end.pushes) push(one);
  }
  return true;
}

bool database::progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  const used change =
      use("UPDATE weft_running SET progress_done = ?, progress_total = ?, progress_note = ?"
          " WHERE id = ? AND owner = ? AND fence = ? RETURNING id",
          "show the progress of a job");
  change->bind(now_at.done)
      .bind(now_at.total)
      .bind(now_at.note)
      .bind(static_cast<std::int64_t>(id))
      .bind(static_cast<std::int64_t>(owner))
      .bind(fence);
  const bool is_held = change->step();
  if (is_held) change->run();
  return is_held;
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
  if (job.fence <= attempts_kept_max) return;
  use("DELETE FROM weft_attempt WHERE job = ? AND fence < ?", "forget an old attempt")
      ->bind(job.id)
      .bind(oldest_kept_fence(job.fence))
      .run();
}

std::optional<database::place> database::find_in(const char* select, const char* purpose, std::int64_t id) {
  const used row = use(select, purpose);
  return row->bind(id).step() ? std::optional(place_of(row)) : std::nullopt;
}

std::optional<database::place> database::find_waiting(std::int64_t id, job_state in) {
  switch (in) {
    case job_state::ready:
      return find_in(
          "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_ready INDEXED BY weft_ready_queue"
          " WHERE queue = (SELECT queue FROM weft_job WHERE id = ?1) AND id = ?1",
          "find a ready job", id);
    case job_state::scheduled:
      return find_in(
          "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_scheduled WHERE id = ?",
          "find a scheduled job", id);
    default:
      return find_in(
          "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_blocked WHERE id = ?",
          "find a blocked job", id);
  }
}

bool database::cancel(job_id id, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  for (const auto from : {job_state::ready, job_state::scheduled, job_state::blocked}) {
    const auto waiting = find_waiting(number, from);
    if (!waiting) continue;
    move(*waiting, from, job_event::cancelled, {.now = now});
    return true;
  }
  if (!find_running(number)) return false;
  use("UPDATE weft_running SET cancel = 1 WHERE id = ?", "ask for a cancellation")->bind(number).run();
  return true;
}

bool database::retry(job_id id, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  place job{};
  job_state from{};
  {
    const used row =
        use("SELECT d.id, d.queue, j.handler, j.priority, d.fence, d.flags, j.limit_id, d.state,"
            " j.expires < ?2 FROM weft_dead d JOIN weft_job j ON j.id = d.id WHERE d.id = ?1",
            "find a dead job");
    if (!row->bind(number).bind(micros(now)).step()) return false;
    if (row->integer(8) != 0) throw_retried_too_late(id);
    job = {row->integer(0),
           row->integer(1),
           row->integer(2),
           row->integer(3),
           micros(now),
           0,
           0,
           0,
           row->integer(4),
           row->integer(5) & ~flag_child,
           row->integer(6)};
    from = static_cast<job_state>(row->integer(7));
  }
  if ((job.flags & flag_unique) != 0) take_key_again(number, now);
  move(job, from, job_event::retried, {});
  return true;
}

void database::retry_some(std::string_view queue, job_state state, moment now, std::size_t limit,
                          retry_step& at) {
  const auto of = queue.empty() ? std::optional<std::int64_t>(0) : find_queue(queue);
  at.is_last = !of || !can(state, job_event::retried);
  if (at.is_last) return;
  std::vector<std::pair<std::int64_t, bool>> given_up;
  {
    const used rows =
        *of == 0
            ? use("SELECT d.id, j.expires < ?4 FROM weft_dead d INDEXED BY weft_dead_state"
                  " JOIN weft_job j ON j.id = d.id WHERE d.state = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3",
                  "find jobs to retry")
            : use("SELECT d.id, j.expires < ?4 FROM weft_dead d INDEXED BY weft_dead_queue"
                  " JOIN weft_job j ON j.id = d.id WHERE d.state = ?1 AND d.queue = ?5 AND d.id > ?2"
                  " ORDER BY d.id LIMIT ?3",
                  "find jobs of a queue to retry");
    rows->bind(static_cast<std::int64_t>(state)).bind(at.after).bind(retried_at_once_max).bind(micros(now));
    if (*of != 0) rows->bind(*of);
    while (rows->step()) given_up.push_back({rows->integer(0), rows->integer(1) != 0});
  }
  at.is_last = static_cast<std::int64_t>(given_up.size()) < retried_at_once_max;
  for (const auto& [id, has_expired] : given_up) {
    if (at.retried == limit) break;
    at.after = id;
    if (has_expired) continue;
    try {
      at.retried += retry(job_id{id}, now) ? 1 : 0;
    } catch (const error& refused) {  // thrown before anything was changed
      if (refused.code() != errc::already_exists) throw;
    }
  }
}

}  // namespace weft::inline v1::jobs::sqlite
