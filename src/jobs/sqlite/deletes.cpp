#include <algorithm>
#include <vector>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Jobs that are no more: by age, or on request.

namespace weft::inline v1::jobs::sqlite {

void database::delete_ended(std::int64_t id, moment now, moment keys_until) {
  cancel_children(id, now);
  use("DELETE FROM weft_done WHERE id = ?", "delete an old job")->bind(id).run();
  use("DELETE FROM weft_dead WHERE id = ?", "delete an old job")->bind(id).run();
  use("DELETE FROM weft_attempt WHERE job = ?", "delete an old job")->bind(id).run();
  use("DELETE FROM weft_tag WHERE job = ?", "delete an old job")->bind(id).run();
  use("DELETE FROM weft_result WHERE job = ?", "delete an old job")->bind(id).run();
  use("DELETE FROM weft_step WHERE job = ?", "delete an old job")->bind(id).run();
  forget_key_of(id, keys_until);
  forget_limit_of(id);
  use("DELETE FROM weft_job WHERE id = ?", "delete an old job")->bind(id).run();
}

std::size_t database::purge(const purge_bounds& before, moment now, std::size_t limit) {
  const moment latest = std::max(before.done, before.given_up);
  std::vector<std::int64_t> ended;
  {
    const used rows =
        use("SELECT id, queue, state FROM (SELECT id, queue, 3 AS state FROM weft_done WHERE finished < ?1"
            " UNION ALL SELECT id, queue, state FROM weft_dead WHERE finished < ?4 AND state <> ?2) LIMIT ?3",
            "find old jobs");
    rows->bind(micros(before.done))
        .bind(static_cast<std::int64_t>(job_state::quarantined))
        .bind(static_cast<std::int64_t>(limit))
        .bind(micros(before.given_up));
    while (rows->step()) {
      ended.push_back(rows->integer(0));
      count(rows->integer(1), static_cast<job_state>(rows->integer(2)), 0, -1);
    }
  }
  for (const std::int64_t id : ended) delete_ended(id, now, latest);
  forget_keys(latest, limit);
  forget_limits(now, limit);
  return ended.size();
}

std::optional<database::ended_job> database::find_ended(std::int64_t id) {
  const used row =
      use("SELECT queue, 3 FROM weft_done WHERE id = ?1 UNION ALL SELECT queue, state FROM weft_dead WHERE "
          "id = ?1",
          "find a job that has ended");
  if (!row->bind(id).step()) return std::nullopt;
  return ended_job{row->integer(0), static_cast<job_state>(row->integer(1))};
}

bool database::remove(job_id id, std::optional<job_state> seen, moment now) {
  const auto number = static_cast<std::int64_t>(id);
  auto job = find_ended(number);
  if (job && seen && job->state != *seen) return false;
  if (!job) {
    if (find_running(number)) return false;
    const bool is_as_seen = !seen || (is_waiting(*seen) && find_waiting(number, *seen));
    if (!is_as_seen || !cancel(id, now)) return false;
    job = find_ended(number);
    if (!job) return false;
  }
  count(job->queue, job->state, 0, -1);
  delete_ended(number, now, now);
  return true;
}

}  // namespace weft::inline v1::jobs::sqlite
