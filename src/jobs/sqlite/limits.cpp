#include "jobs/sqlite/database.hpp"

// Limits: how many jobs of a key may run at a time. A claim that meets a job whose limit is reached moves
// it to weft_blocked, and what leaves weft_running brings the next one of each queue back to weft_ready. So
// there is always a ready job of the key for each free place, or none is blocked, and each job is moved
// aside at most once for each time that it comes to the front.

namespace weft::jobs::sqlite {
namespace {

constexpr std::int64_t unblocked_by_push_max = 1000;

}  // namespace

std::int64_t database::limit_id(const limit_options& limit, moment now) {
  std::int64_t id = 0;
  std::int64_t former = limit.max;
  {
    const used row = use("SELECT id, max FROM weft_limit WHERE name = ?", "find a limit");
    if (row->bind(limit.key).step()) {
      id = row->integer(0);
      former = row->integer(1);
    }
  }
  if (id != 0 && former == limit.max) return id;
  {
    const used row =
        use("INSERT INTO weft_limit (name, max) VALUES (?,?)"
            " ON CONFLICT (name) DO UPDATE SET max = excluded.max RETURNING id",
            "set a limit");
    row->bind(limit.key).bind(std::int64_t{limit.max}).step();
    id = row->integer(0);
    row->run();
  }
  const std::int64_t more = std::min(limit.max - former, unblocked_by_push_max);
  for (std::int64_t count = 0; count < more; ++count) unblock_next(id, now);
  return id;
}

std::string database::name_of_limit(std::int64_t id) {
  const used row = use("SELECT name FROM weft_limit WHERE id = ?", "find the name of a limit");
  return row->bind(id).step() ? row->text(0) : std::string();
}

bool database::take_room(std::int64_t limit, room_left& known) {
  const auto [room, is_new] = known.try_emplace(limit, 0);
  if (is_new) {
#ifdef WEFT_BUG_6
    const char* const room_of_limit = "SELECT max FROM weft_limit WHERE id = ?";
#else
    const char* const room_of_limit = "SELECT max - running FROM weft_limit WHERE id = ?";
#endif
    const used row = use(room_of_limit, "look for room in a limit");
    if (row->bind(limit).step()) room->second = row->integer(0);
  }
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
  if (from == job_state::running || gave_up_its_turn) unblock_next(job.limit, now);
}

void database::unblock_next(std::int64_t limit, moment now) {
  room_left room;
  if (!take_room(limit, room)) return;
  for (std::int64_t queue = 0;;) {
    std::optional<place> next;
    {
      const used row = use(
          "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_blocked WHERE limit_id = ? AND pending = 0 AND queue > ?"
          " ORDER BY queue, priority, run_at, id LIMIT 1",
          "find the next job of a limit");
      if (row->bind(limit).bind(queue).step()) next = place_of(row);
    }
    if (!next) return;
    queue = next->queue;
    move(*next, job_state::blocked, job_event::unblocked, {.now = now});
  }
}

}  // namespace weft::jobs::sqlite
