#include <algorithm>

#include "jobs/sqlite/database.hpp"

// Limits: how many jobs of a key may run at a time. A claim that meets a job whose limit is reached moves
// it to weft_blocked, and each job is moved aside at most once for each time that it comes to the front.
// While there is room for so many jobs, so many of each queue and closure are ready, up to topped_up_max, or
// none of them is blocked: whatever makes room, and a claim at its end, tops them up. It is done for each
// closure, as one that no worker knows must not take the others' turn.

namespace weft::jobs::sqlite {
namespace {

constexpr std::int64_t topped_up_max = 200;

}  // namespace

std::int64_t database::limit_id(const limit_options& limit, moment now) {
  std::int64_t id = 0;
  {
    const used row =
        use("INSERT INTO weft_limit (name, max, jobs) VALUES (?,?,1)"
            " ON CONFLICT (name) DO UPDATE SET max = excluded.max, jobs = jobs + 1 RETURNING id",
            "set a limit");
    row->bind(limit.key).bind(std::int64_t{limit.max}).step();
    id = row->integer(0);
    row->run();
  }
  top_up(id, now);
  return id;
}

std::string database::name_of_limit(std::int64_t id) {
  const used row = use("SELECT name FROM weft_limit WHERE id = ?", "find the name of a limit");
  return row->bind(id).step() ? row->text(0) : std::string();
}

std::int64_t database::room_of(std::int64_t limit) {
#ifdef WEFT_BUG_6
  const char* const room_of_limit = "SELECT max FROM weft_limit WHERE id = ?";
#else
  const char* const room_of_limit = "SELECT max - running FROM weft_limit WHERE id = ?";
#endif
  const used row = use(room_of_limit, "look for room in a limit");
  return row->bind(limit).step() ? row->integer(0) : 0;
}

bool database::take_room(std::int64_t limit, room_left& known) {
  const auto [room, is_new] = known.try_emplace(limit, 0);
  if (is_new) room->second = room_of(limit);
  if (room->second <= 0) return false;
  room->second -= 1;
  return true;
}

void database::count_limit(const place& job, job_state from, job_state to, moment now) {
  const std::int64_t change =
      std::int64_t{to == job_state::running} - std::int64_t{from == job_state::running};
  if (change != 0) {
    use("UPDATE weft_limit SET running = running + ? WHERE id = ?", "count the jobs of a limit")
        ->bind(change)
        .bind(job.limit)
        .run();
  }
  const bool gave_up_its_turn = from == job_state::ready && is_ended(to);
  if (from == job_state::running || gave_up_its_turn) top_up(job.limit, now);
}

void database::top_up(std::int64_t limit, moment now) {
  const std::int64_t room = std::min(room_of(limit), topped_up_max);
  if (room <= 0) return;
  for (auto of = next_blocked(limit, {}); of; of = next_blocked(limit, *of)) {
    const std::int64_t more = room - count_ready(limit, *of, room);
    for (const auto& job : read_blocked(limit, *of, more))
      move(job, job_state::blocked, job_event::unblocked, {.now = now});
  }
}

std::optional<database::group> database::next_blocked(std::int64_t limit, const group& after) {
  const used row =
      use("SELECT queue, handler FROM weft_blocked WHERE limit_id = ? AND pending = 0"
          " AND (queue, handler) > (?,?) ORDER BY queue, handler LIMIT 1",
          "find the blocked jobs of a limit");
  if (!row->bind(limit).bind(after.queue).bind(after.handler).step()) return std::nullopt;
  return group{row->integer(0), row->integer(1)};
}

std::int64_t database::count_ready(std::int64_t limit, const group& of, std::int64_t most) {
  const used row =
      use("SELECT count(*) FROM (SELECT 1 FROM weft_ready INDEXED BY weft_ready_limit"
          " WHERE limit_id = ? AND limit_id > 0 AND queue = ? AND handler = ? LIMIT ?)",
          "count the ready jobs of a limit");
  row->bind(limit).bind(of.queue).bind(of.handler).bind(most).step();
  return row->integer(0);
}

std::vector<database::place> database::read_blocked(std::int64_t limit, const group& of, std::int64_t count) {
  std::vector<place> next;
  const used rows =
      use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_blocked WHERE limit_id = ? AND pending = 0 AND queue = ? AND handler = ?"
          " ORDER BY priority, run_at, id LIMIT ?",
          "find the next jobs of a limit");
  rows->bind(limit).bind(of.queue).bind(of.handler).bind(count);
  while (rows->step()) next.push_back(place_of(rows));
  return next;
}

void database::forget_limit_of(std::int64_t job) {
  use("UPDATE weft_limit SET jobs = jobs - 1 WHERE id = (SELECT limit_id FROM weft_job WHERE id = ?)",
      "count the jobs of a limit")
      ->bind(job)
      .run();
}

void database::forget_limits(std::size_t count) {
  use("DELETE FROM weft_limit WHERE id IN (SELECT id FROM weft_limit WHERE jobs = 0 LIMIT ?)",
      "forget unused limits")
      ->bind(static_cast<std::int64_t>(count))
      .run();
}

}  // namespace weft::jobs::sqlite
