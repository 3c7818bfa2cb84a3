#include <algorithm>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Workers and their leases. A worker has one row, which its heartbeat changes; the jobs it holds name
// it. Rescue takes the jobs of a dead worker back; its later completions no longer find their fence.

namespace weft::inline v1::jobs::sqlite {

void database::add_worker(const worker_row& worker) {
  use("INSERT OR IGNORE INTO weft_worker (id, host, pid, pid_started, build, beat) VALUES (?,?,?,?,?,?)",
      "add a worker")
      ->bind(static_cast<std::int64_t>(worker.id))
      .bind(worker.host)
      .bind(worker.pid)
      .bind(worker.pid_started)
      .bind(worker.build)
      .bind(worker.beat + 1)
      .run();
}

void database::check_worker(worker_id owner) {
  const used row = use("SELECT 1 FROM weft_worker WHERE id = ?", "look for a worker");
  if (!row->bind(static_cast<std::int64_t>(owner)).step()) refuse_unknown_worker("claim", owner);
}

std::vector<job_id> database::beat(worker_id owner) {
  const auto number = static_cast<std::int64_t>(owner);
  const used change =
      use("UPDATE weft_worker SET beat = beat + 1 WHERE id = ? RETURNING id", "beat for a worker");
  if (!change->bind(number).step()) refuse_unknown_worker("beat", owner);
  change->run();
  std::vector<job_id> cancelled;
  const used rows =
      use("SELECT id FROM weft_running WHERE owner = ? AND cancel = 1", "look for cancelled jobs");
  rows->bind(number);
  while (rows->step()) cancelled.push_back(job_id{rows->integer(0)});
  return cancelled;
}

// The leader is a row of weft_meta that names a worker, who may have gone.

worker_row database::lead(worker_id self, const std::optional<worker_row>& silent) {
  const auto worker = [this](std::int64_t id) -> std::optional<worker_row> {
    const used row = use("SELECT id, host, pid, pid_started, build, beat FROM weft_worker WHERE id = ?",
                         "look for a worker");
    if (!row->bind(id).step()) return std::nullopt;
    return worker_row{worker_id{row->integer(0)},
                      row->text(1),
                      row->integer(2),
                      row->integer(3),
                      row->text(4),
                      row->integer(5)};
  };
  const auto own = worker(static_cast<std::int64_t>(self));
  if (!own) refuse_unknown_worker("lead", self);
  {
    const used row = use("SELECT value FROM weft_meta WHERE name = 'leader'", "look who leads");
    const auto leader = row->step() ? worker(row->integer(0)) : std::nullopt;
    const bool is_silent = leader && silent && leader->id == silent->id && leader->beat == silent->beat;
    if (leader && !is_silent) return *leader;
  }
  use("INSERT OR REPLACE INTO weft_meta (name, value) VALUES ('leader', ?)", "lead")
      ->bind(static_cast<std::int64_t>(self))
      .run();
  return *own;
}

std::vector<database::held> database::held_by(std::int64_t owner) {
  std::vector<held> all;
  const used rows =
      use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id, "
          "owner, "
          "started, "
          "cancel"
          " FROM weft_running WHERE owner = ?",
          "find the jobs of a worker");
  rows->bind(owner);
  while (rows->step()) all.push_back(held_of(rows));
  return all;
}

void database::remove_worker(worker_id owner, moment now) {
  const auto number = static_cast<std::int64_t>(owner);
  for (const auto& job : held_by(number)) {
    attempt_end end;
    end.next = next_step::released;
    move(job, job_state::running, event_of(end, job.cancel_requested), {.now = now});
  }
  use("DELETE FROM weft_worker WHERE id = ?", "remove a worker")->bind(number).run();
}

std::vector<worker_row> database::workers() {
  std::vector<worker_row> all;
  const used rows =
      use("SELECT w.id, w.host, w.pid, w.pid_started, w.build, w.beat, coalesce(r.jobs, 0) FROM weft_worker w"
          " LEFT JOIN (SELECT owner, count(*) AS jobs FROM weft_running GROUP BY owner) r ON r.owner = w.id"
          " ORDER BY w.id",
          "list the workers");
  while (rows->step()) {
    all.push_back({worker_id{rows->integer(0)}, rows->text(1), rows->integer(2), rows->integer(3),
                   rows->text(4), rows->integer(5), rows->integer(6)});
  }
  return all;
}

std::optional<std::size_t> database::rescue(const worker_row& seen, moment now, int crashes_max) {
  const auto number = static_cast<std::int64_t>(seen.id);
  {
    const used row =
        use("DELETE FROM weft_worker WHERE id = ? AND beat = ? RETURNING 1", "remove a dead worker");
    if (!row->bind(number).bind(seen.beat).step()) return std::nullopt;
    row->run();
  }
  const auto lost = held_by(number);
  for (const auto& former : lost) {
    place job = former;
    stored_attempt crashed{.attempt = static_cast<int>(job.attempts) + 1,
                           .outcome = attempt_outcome::crashed};
    crashed.started = moment_at(former.started);
    crashed.ended = std::max(now, crashed.started);
    put_attempt(job, number, crashed);
    job.crashes += 1;
    move(job, job_state::running, event_of_loss(job.crashes, crashes_max, former.cancel_requested),
         {.now = now});
  }
  return lost.size();
}

}  // namespace weft::inline v1::jobs::sqlite
