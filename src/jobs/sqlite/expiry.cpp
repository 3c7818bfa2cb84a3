#include "jobs/kept_attempt.hpp"
#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Jobs that are to begin in time, or not at all. weft_expiry has those that wait; each claim gives up some
// that have waited too long, of all queues: nobody may ever claim from theirs.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::int64_t expired_at_once_max = 500;

}  // namespace

void database::set_expiry(const new_job& job) {
  if (!job.expires) return;
  use("INSERT INTO weft_expiry (job, expires) VALUES (?,?)", "let a job expire")
      ->bind(static_cast<std::int64_t>(job.id))
      .bind(micros(*job.expires))
      .run();
}

void database::move_expiry(const place& job, job_state from, job_state to) {
  if (is_waiting(from) == is_waiting(to)) return;
  use(is_waiting(to) ? "INSERT INTO weft_expiry (job, expires) SELECT id, expires FROM weft_job WHERE id = ?"
                     : "DELETE FROM weft_expiry WHERE job = ?",
      "let a job expire while it waits")
      ->bind(job.id)
      .run();
}

void database::expire_some(moment now) {
  std::vector<std::int64_t> expired;
  {
    const used rows = use("SELECT job FROM weft_expiry WHERE expires < ? ORDER BY expires, job LIMIT ?",
                          "find expired jobs");
    rows->bind(micros(now)).bind(expired_at_once_max);
    while (rows->step()) expired.push_back(rows->integer(0));
  }
  for (const std::int64_t id : expired) {
    bool waits = false;
    for (const auto state : {job_state::ready, job_state::scheduled, job_state::blocked}) {
      auto job = find_waiting(id, state);
      if (!job) continue;
      waits = true;
      job->fence += 1;  // as if it had been claimed: its attempt has a number of its own
      put_attempt(*job, 0, expired_attempt(job_id{id}, static_cast<int>(job->attempts) + 1, now));
      move(*job, state, job_event::expired, {.now = now});
      break;
    }
    // Of no job that waits, it would be due for ever.
    if (!waits) use("DELETE FROM weft_expiry WHERE job = ?", "forget an expiry")->bind(id).run();
  }
}

std::optional<moment> database::next_expiry() {
  const used row = use("SELECT min(expires) FROM weft_expiry", "find the next job that expires");
  row->step();
  const auto at = row->maybe_integer(0);
  return at ? std::optional(moment_at(*at + 1)) : std::nullopt;
}

}  // namespace weft::inline v1::jobs::sqlite
