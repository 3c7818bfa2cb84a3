#include <algorithm>

#include "jobs/due_schedules.hpp"
#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Rows of weft_schedule. A worker is given those that are due with its claim, makes their jobs outside, and
// comes back with fire(), which does nothing where another worker was faster.

namespace weft::inline v1::jobs::sqlite {
stored_schedule database::schedule_of(const used& row) {
  return {row->text(0),        name_of_queue(row->integer(1)), row->text(2),
          row->text(3),        moment_at(row->integer(4)),     moment_at(row->integer(5)),
          row->integer(6) != 0};
}

void database::put_schedule(const stored_schedule& schedule) {
  has_new_work_ = true;
  use("INSERT INTO weft_schedule (name, queue, timing, envelope, last, next) VALUES (?1,?2,?3,?4,?5,?6)"
      " ON CONFLICT (name) DO UPDATE SET queue = ?2, envelope = ?4, timing = ?3,"
      " last = CASE WHEN timing = ?3 AND last <= ?7 THEN last ELSE ?5 END,"
      " next = CASE WHEN timing = ?3 AND last <= ?7 THEN next ELSE ?6 END",
      "put a schedule")
      ->bind(schedule.name)
      .bind(queue_id(schedule.queue))
      .bind(schedule.timing)
      .bind_blob(schedule.envelope)
      .bind(micros(schedule.last))
      .bind(micros(schedule.next))
      .bind(micros(schedule.last + clock_put_back_min))
      .run();
}

bool database::remove_schedule(std::string_view name) {
  const used row = use("DELETE FROM weft_schedule WHERE name = ? RETURNING 1", "remove a schedule");
  const bool found = row->bind(name).step();
  if (found) row->run();
  return found;
}

bool database::pause_schedule(std::string_view name) {
  const used row = use("UPDATE weft_schedule SET paused = 1 WHERE name = ? RETURNING 1", "pause a schedule");
  const bool found = row->bind(name).step();
  if (found) row->run();
  return found;
}

bool database::resume_schedule(std::string_view name, moment last, moment next) {
  has_new_work_ = true;
  const used row =
      use("UPDATE weft_schedule SET paused = 0, last = CASE WHEN paused THEN ?2 ELSE last END,"
          " next = CASE WHEN paused THEN ?3 ELSE next END WHERE name = ?1 RETURNING 1",
          "resume a schedule");
  const bool found = row->bind(name).bind(micros(last)).bind(micros(next)).step();
  if (found) row->run();
  return found;
}

std::vector<stored_schedule> database::schedules() {
  std::vector<stored_schedule> all;
  const used rows =
      use("SELECT name, queue, timing, envelope, last, next, paused FROM weft_schedule ORDER BY name",
          "list schedules");
  while (rows->step()) all.push_back(schedule_of(rows));
  return all;
}

void database::find_due_schedules(const claim_request& request, claim_result& result) {
  for (const auto& name : request.queues) {
    if (const auto queue = find_queue(name)) find_due_schedules(*queue, request, result);
  }
  keep_longest_due(request, result);
}

void database::find_due_schedules(std::int64_t queue, const claim_request& request, claim_result& result) {
  {
    const used row = use("SELECT min(next) FROM weft_schedule WHERE paused = 0 AND queue = ? AND next > ?",
                         "find the next schedule");
    row->bind(queue).bind(micros(request.now)).step();
    if (const auto next = row->maybe_integer(0)) {
      result.next_fire = std::min(result.next_fire.value_or(moment_at(*next)), moment_at(*next));
    }
  }
  const used rows =
      use("SELECT name, queue, timing, envelope, last, next, paused FROM weft_schedule"
          " WHERE paused = 0 AND queue = ? AND next <= ? ORDER BY next",
          "find due schedules");
  rows->bind(queue).bind(micros(request.now));
  // One more than are told of shows that there are more.
  for (std::size_t found = 0; found <= schedules_per_claim_max && rows->step();) {
    auto row = schedule_of(rows);
    if (request.wants_schedule && !request.wants_schedule(row)) continue;
    result.schedules.push_back(std::move(row));
    ++found;
  }
}

bool database::fire(const schedule_fire& fire) {
  {
    const used row =
        use("UPDATE weft_schedule SET last = ?4, next = ?5"
            " WHERE name = ?1 AND next = ?2 AND envelope = ?3 AND paused = 0 RETURNING 1",
            "move a schedule on");
    row->bind(fire.name)
        .bind(micros(fire.seen))
        .bind_blob(fire.envelope)
        .bind(micros(fire.last))
        .bind(micros(fire.next));
    if (!row->step()) return false;
    row->run();
  }
  for (const auto& job : fire.jobs) push(job);
  return true;
}

}  // namespace weft::inline v1::jobs::sqlite
