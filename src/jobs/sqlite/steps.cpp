#include <functional>
#include <string>

#include "jobs/job_step.hpp"
#include "jobs/sqlite/database.hpp"

// What steps of jobs left for later attempts: rows of weft_step, as long as the job is kept.

namespace weft::inline v1::jobs::sqlite {

std::optional<std::string> database::step(job_id id, std::string_view name) {
  const used row = use("SELECT value FROM weft_step WHERE job = ? AND name = ?", "read a step of a job");
  if (!row->bind(static_cast<std::int64_t>(id)).bind(name).step()) return std::nullopt;
  return row->text(0);
}

void database::read_steps(job_id id, const std::function<void(std::string_view value)>& each) {
  const used rows = use("SELECT value FROM weft_step WHERE job = ? ORDER BY name", "read the steps of a job");
  rows->bind(static_cast<std::int64_t>(id));
  while (rows->step()) each(rows->text(0));
}

bool database::keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                         std::string_view value) {
  if (!holds(id, owner, fence)) return false;
  const auto number = static_cast<std::int64_t>(id);
  {
    const used row =
        use("SELECT count(*) FROM weft_step WHERE job = ? AND name <> ?", "count the steps of a job");
    row->bind(number).bind(name).step();
    if (row->integer(0) >= static_cast<std::int64_t>(steps_max)) throw_too_many_steps(id);
  }
  use("INSERT OR REPLACE INTO weft_step (job, name, value) VALUES (?,?,?)", "keep a step of a job")
      ->bind(number)
      .bind(name)
      .bind_blob(value)
      .run();
  return true;
}

}  // namespace weft::inline v1::jobs::sqlite
