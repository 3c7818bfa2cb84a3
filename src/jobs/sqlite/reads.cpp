#include <algorithm>
#include <cstdint>
#include <string>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// One job, with all that is known of it, and the end of what is kept of it.

namespace weft::inline v1::jobs::sqlite {
bool database::fill_state(stored_job& job) {
  const used row = use(
      "SELECT 1, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_ready INDEXED BY weft_ready_queue"
      " WHERE queue = (SELECT queue FROM weft_job WHERE id = ?1) AND id = ?1"
      " UNION ALL SELECT 0, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_scheduled WHERE id = "
      "?1"
      " UNION ALL SELECT 2, started, attempts, backoffs, crashes, fence, owner, cancel FROM weft_running "
      "WHERE id = ?1"
      " UNION ALL SELECT 7, run_at, attempts, backoffs, crashes, fence, 0, 0 FROM weft_blocked WHERE id = ?1"
      " UNION ALL SELECT 3, finished, attempts, backoffs, crashes, fence, 0, 0 FROM weft_done WHERE id = ?1"
      " UNION ALL SELECT state, finished, attempts, backoffs, crashes, fence, 0, 0 FROM weft_dead WHERE id = "
      "?1",
      "find where a job is");
  if (!row->bind(static_cast<std::int64_t>(job.id)).step()) return false;
  job.state = static_cast<job_state>(row->integer(0));
  if (is_ended(job.state)) {
    job.finished = moment_at(row->integer(1));
  } else {
    job.run_at = moment_at(row->integer(1));
  }
  job.attempts = static_cast<int>(row->integer(2));
  job.backoffs = static_cast<int>(row->integer(3));
  job.crashes = static_cast<int>(row->integer(4));
  job.fence = row->integer(5);
  if (job.state == job_state::running) {
    job.owner = worker_id{row->integer(6)};
    job.cancel_requested = row->integer(7) != 0;
  }
  return true;
}

void database::fill_details(stored_job& job) {
  const auto number = static_cast<std::int64_t>(job.id);
  job.tags = tags_of(number);
  if (job.state == job_state::blocked) job.waits_for = parents_of(number);
  if (job.state == job_state::running) {
    const used row = use("SELECT progress_done, progress_total, progress_note FROM weft_running WHERE id = ?",
                         "read the progress of a job");
    if (!row->bind(number).step()) return;
    const auto done = row->maybe_integer(0);
    if (done) job.progress = job_progress{*done, row->integer(1), row->text(2)};
  } else if (job.state == job_state::done) {
    const used row = use("SELECT value FROM weft_result WHERE job = ?", "read the result of a job");
    if (row->bind(number).step()) job.result = row->text(0);
  }
}

std::vector<std::string> database::tags_of(std::int64_t id) {
  std::vector<std::string> tags;
  const used rows = use("SELECT tag FROM weft_tag WHERE job = ? ORDER BY tag", "read the tags of a job");
  rows->bind(id);
  while (rows->step()) tags.push_back(rows->text(0));
  return tags;
}

std::vector<stored_attempt> database::past_of(std::int64_t id) {
  std::vector<stored_attempt> past;
  const used rows = use(
      "SELECT attempt, fence, owner, outcome, started, ended, error, records FROM weft_attempt WHERE job = ?"
      " ORDER BY fence",
      "read the attempts of a job");
  rows->bind(id);
  while (rows->step()) {
    past.push_back({static_cast<int>(rows->integer(0)), rows->integer(1), worker_id{rows->integer(2)},
                    static_cast<attempt_outcome>(rows->integer(3)), moment_at(rows->integer(4)),
                    moment_at(rows->integer(5)), rows->text(6), rows->text(7)});
  }
  return past;
}

std::optional<stored_job> database::find(job_id id) {
  stored_job job;
  job.id = id;
  if (!fill_row(job)) return std::nullopt;
  fill_state(job);
  fill_details(job);
  job.past = past_of(static_cast<std::int64_t>(id));
  return job;
}

}  // namespace weft::inline v1::jobs::sqlite
