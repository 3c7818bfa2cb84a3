#include <string>

#include <weft/core/error.hpp>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Jobs that wait for others. Each row of weft_dependency is one that a child still waits for, and the
// child's row in weft_blocked counts them. The end of a parent takes away its rows, as far as it is the end
// that they wait for; who has none left is unblocked. The others stay for a retry of the parent.

namespace weft::inline v1::jobs::sqlite {

std::int64_t database::add_dependencies(const new_job& job) {
  std::int64_t pending = 0;
  for (const auto& one : job.after) {
    stored_job parent;
    parent.id = one.on;
    if (!fill_state(parent)) {
      throw error(errc::not_found, "jobs: push a job: it waits for job " + to_string(one.on) +
                                       ", which is not there (any more)");
    }
    const auto number = static_cast<std::int64_t>(one.on);
    if (is_ended(parent.state) && (one.even_if_given_up || parent.state == job_state::done)) continue;
    const used row =
        use("INSERT OR IGNORE INTO weft_dependency (parent, child, even_if_given_up) VALUES (?,?,?)"
            " RETURNING parent",
            "let a job wait for another");
    row->bind(number).bind(static_cast<std::int64_t>(job.id)).bind(std::int64_t{one.even_if_given_up});
    if (!row->step()) continue;  // named twice
    row->run();
    mark_parent(number, parent.state);
    ++pending;
  }
  return pending;
}

void database::add_dependent(job_id id, job_id child) {
  const auto number = static_cast<std::int64_t>(child);
  {
    const used row =
        use("UPDATE weft_blocked SET pending = pending + 1 WHERE id = ? AND pending > 0 RETURNING 1",
            "let a job wait for one more");
    if (!row->bind(number).step()) throw_waits_no_more(child);
    row->run();
  }
  use("INSERT INTO weft_dependency (parent, child, even_if_given_up) VALUES (?,?,1)",
      "let a job wait for one more")
      ->bind(static_cast<std::int64_t>(id))
      .bind(number)
      .run();
}

void database::mark_parent(std::int64_t id, job_state state) {
  const char* sql = "UPDATE weft_dead SET flags = flags | 2 WHERE id = ?";
  if (state == job_state::ready) {
    sql =
        "UPDATE weft_ready INDEXED BY weft_ready_queue SET flags = flags | 2"
        " WHERE queue = (SELECT queue FROM weft_job WHERE id = ?1) AND id = ?1";
  }
  if (state == job_state::scheduled) sql = "UPDATE weft_scheduled SET flags = flags | 2 WHERE id = ?";
  if (state == job_state::blocked) sql = "UPDATE weft_blocked SET flags = flags | 2 WHERE id = ?";
  if (state == job_state::running) sql = "UPDATE weft_running SET flags = flags | 2 WHERE id = ?";
  use(sql, "let a job wait for another")->bind(id).run();
}

void database::release_children(const place& parent, job_state to, moment now) {
  if ((parent.flags & flag_child) != 0) {
    use("DELETE FROM weft_dependency WHERE child = ?", "let a job wait no more")->bind(parent.id).run();
  }
  std::vector<std::int64_t> children;
  {
    const used rows =
        use("DELETE FROM weft_dependency WHERE parent = ? AND (even_if_given_up OR ?) RETURNING child",
            "find who waits for a job");
    rows->bind(parent.id).bind(std::int64_t{to == job_state::done});
    while (rows->step()) children.push_back(rows->integer(0));
  }
  std::sort(children.begin(), children.end());
  for (const std::int64_t child : children) {
    {
      const used row = use("UPDATE weft_blocked SET pending = pending - 1 WHERE id = ? RETURNING pending",
                           "let a job wait for one less");
      if (!row->bind(child).step()) continue;
      const bool waits = row->integer(0) > 0;
      row->run();
      if (waits) continue;
    }
    const auto free = find_waiting(child, job_state::blocked);
    const bool is_ahead = free->run_at > micros(now);
    move(*free, job_state::blocked, is_ahead ? job_event::unblocked_ahead : job_event::unblocked,
         {.now = now});
  }
}

void database::cancel_children(std::int64_t parent, moment now) {
  std::vector<std::int64_t> children;
  {
    const used rows =
        use("DELETE FROM weft_dependency WHERE parent = ? RETURNING child", "find who waits for a job");
    rows->bind(parent);
    while (rows->step()) children.push_back(rows->integer(0));
  }
  for (const std::int64_t child : children) cancel(job_id{child}, now);
}

std::vector<job_id> database::parents_of(std::int64_t child) {
  std::vector<job_id> parents;
  const used rows =
      use("SELECT parent FROM weft_dependency WHERE child = ? ORDER BY parent", "find what a job waits for");
  rows->bind(child);
  while (rows->step()) parents.push_back(job_id{rows->integer(0)});
  return parents;
}

}  // namespace weft::inline v1::jobs::sqlite
