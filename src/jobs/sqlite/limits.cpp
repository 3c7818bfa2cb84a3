#include <algorithm>

#include "jobs/limit_turn.hpp"
#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Limits: how many jobs of a key may run at a time, and how often they begin. A claim that meets a job whose
// limit is reached moves it to weft_blocked, and each job is moved aside at most once for each time that it
// comes to the front. While there is room for so many jobs, so many of each queue and closure are ready, up
// to topped_up_max, or none of them is blocked: whatever makes room, and a claim at its end, tops them up. It
// is done for each closure, as one that no worker knows must not take the others' turn. Where only a token
// lacks, wake_at says when it comes, and the first claim from then on tops them up; or a claim whose clock is
// further back than the time of a token, as it was set back.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr std::int64_t topped_up_max = 200;
constexpr std::int64_t woken_at_once_max = 100;
constexpr std::chrono::milliseconds rounding{1};

/// A wait for a token that begins after this began before the clock was set back: it takes a token's time.
std::int64_t latest_wait(moment now) { return micros(now + clocks_differ_max + rounding); }

}  // namespace

std::int64_t database::limit_id(const limit_options& limit, moment now) {
  std::int64_t pinned = 0;
  {
    const used row = use("UPDATE weft_limit SET jobs = jobs + 1 WHERE name = ? AND pinned = 1 RETURNING id",
                         "add a job to a limit that somebody has set");
    if (row->bind(limit.key).step()) {
      pinned = row->integer(0);
      row->run();
    }
  }
  if (pinned == 0) return put_limit(limit, 1, false, now);
  top_up(pinned, now);
  return pinned;
}

std::int64_t database::put_limit(const limit_options& limit, std::int64_t more_jobs, bool pinned,
                                 moment now) {
  token_bucket tokens;
  std::int64_t id = 0;
  {
    const used row =
        use("SELECT id, token_ns, burst, full_at FROM weft_limit WHERE name = ?", "find a limit");
    if (row->bind(limit.key).step()) {
      id = row->integer(0);
      tokens = {row->integer(1), row->integer(2), row->integer(3)};
    }
  }
  tokens.set_rate(limit.rate, now);
  if (id == 0) id = free_limit_id(limit.key);
  use("INSERT INTO weft_limit (id, name, max, jobs, token_ns, burst, full_at, pinned) VALUES "
      "(?,?,?,?,?,?,?,?)"
      " ON CONFLICT (id) DO UPDATE SET max = excluded.max, jobs = jobs + excluded.jobs,"
      " token_ns = excluded.token_ns, burst = excluded.burst, full_at = excluded.full_at,"
      " pinned = excluded.pinned",
      "set a limit")
      ->bind(id)
      .bind(limit.key)
      .bind(std::int64_t{limit.max})
      .bind(more_jobs)
      .bind(tokens.token_ns())
      .bind(tokens.burst())
      .bind(tokens.full_at())
      .bind(std::int64_t{pinned})
      .run();
  top_up(id, now);
  return id;
}

void database::set_limit(const limit_options& limit, bool pinned, moment now) {
  put_limit(limit, 0, pinned, now);
}

bool database::release_limit(std::string_view key) {
  const used row = use("UPDATE weft_limit SET pinned = 0 WHERE name = ? AND pinned = 1 RETURNING id",
                       "release a limit that somebody has set");
  if (!row->bind(key).step()) return false;
  row->run();
  return true;
}

std::vector<stored_limit> database::limits(std::string_view after, std::size_t count) {
  std::vector<stored_limit> all;
  const used rows =
      use("SELECT name, max, token_ns, burst, running, pinned, (SELECT count(*) FROM (SELECT 1 FROM "
          "weft_blocked b"
          " WHERE b.limit_id = l.id AND b.pending = 0 LIMIT ?3)) FROM weft_limit l WHERE name > ?1"
          " ORDER BY name LIMIT ?2",
          "list limits");
  rows->bind(after).bind(static_cast<std::int64_t>(count)).bind(limit_waits_counted_max);
  while (rows->step()) {
    const token_bucket tokens(rows->integer(2), rows->integer(3), 0);
    all.push_back({.is = {rows->text(0), static_cast<int>(rows->integer(1)), tokens.rate()},
                   .pinned = rows->integer(5) != 0,
                   .running = rows->integer(4),
                   .held_back = rows->integer(6)});
  }
  return all;
}

/// Two keys may have one place in the round: then the next one is as good.
std::int64_t database::free_limit_id(std::string_view key) {
  std::int64_t id = turn_of_limit(key);
  const auto is_taken = [&] {
    const used row = use("SELECT 1 FROM weft_limit WHERE id = ?", "look for a number of a limit");
    return row->bind(id).step();
  };
  while (is_taken()) ++id;
  return id;
}

std::string database::name_of_limit(std::int64_t id) {
  const used row = use("SELECT name FROM weft_limit WHERE id = ?", "find the name of a limit");
  return row->bind(id).step() ? row->text(0) : std::string();
}

database::room_in_limit database::room_of(std::int64_t limit, moment now) {
#ifdef WEFT_BUG_6
  const char* const room_of_limit = "SELECT max, token_ns, burst, full_at FROM weft_limit WHERE id = ?";
#else
  const char* const room_of_limit =
      "SELECT max - running, token_ns, burst, full_at FROM weft_limit WHERE id = ?";
#endif
  room_in_limit room;
  {
    const used row = use(room_of_limit, "look for room in a limit");
    if (!row->bind(limit).step()) return room;
    room.places = row->integer(0);
    room.tokens = {row->integer(1), row->integer(2), row->integer(3)};
  }
  if (room.tokens.settle(now)) set_tokens(limit, room.tokens);
  return room;
}

void database::set_tokens(std::int64_t limit, const token_bucket& tokens) {
  use("UPDATE weft_limit SET full_at = ? WHERE id = ?", "set the tokens of a limit")
      ->bind(tokens.full_at())
      .bind(limit)
      .run();
}

void database::give_token_back(const held& job, moment now) {
  if (job.limit == 0) return;
  token_bucket tokens = room_of(job.limit, now).tokens;
  tokens.give_back(moment_at(job.started), now);
  set_tokens(job.limit, tokens);
}

bool database::take_room(std::int64_t limit, moment now, room_left& known) {
  const auto [left, is_new] = known.try_emplace(limit, 0);
  if (is_new) {
    const auto room = room_of(limit, now);
    left->second = std::min(room.places, room.tokens.tokens(now));
  }
  if (left->second <= 0) return false;
  left->second -= 1;
  return true;
}

void database::count_limit(const place& job, job_state from, job_state to, moment now) {
  if (to == job_state::running) {
    use("UPDATE weft_limit SET running = running + 1,"
        " full_at = CASE token_ns WHEN 0 THEN full_at ELSE max(full_at, ?) + token_ns END WHERE id = ?",
        "begin a job of a limit")
        ->bind(nanoseconds_of(now))
        .bind(job.limit)
        .run();
  }
  if (from == job_state::running) {
    use("UPDATE weft_limit SET running = running - 1 WHERE id = ?", "end a job of a limit")
        ->bind(job.limit)
        .run();
  }
  const bool gave_up_its_turn = from == job_state::ready && is_ended(to);
  if (from == job_state::running || gave_up_its_turn) top_up(job.limit, now);
}

void database::top_up(std::int64_t limit, moment now) {
  const auto of = room_of(limit, now);
  const std::int64_t tokens = of.tokens.tokens(now);
  const std::int64_t room = std::min({of.places, tokens, topped_up_max});
  if (room > 0) top_up_groups(limit, room, now);
  const bool lacks_token = of.places > 0 && tokens == 0 && next_blocked(limit, {}).has_value();
  wake_limit(limit, lacks_token ? std::optional(of.tokens.next()) : std::nullopt);
}

void database::top_up_groups(std::int64_t limit, std::int64_t room, moment now) {
  for (auto of = next_blocked(limit, {}); of; of = next_blocked(limit, *of)) {
    const std::int64_t more = room - count_ready(limit, *of, room);
    for (const auto& job : read_blocked(limit, *of, more))
      move(job, job_state::blocked, job_event::unblocked, {.now = now});
  }
}

void database::wake_limit(std::int64_t limit, std::optional<moment> at) {
  const used change =
      use("UPDATE weft_limit SET wake_at = ?2 WHERE id = ?1 AND wake_at IS NOT ?2 RETURNING id",
          "set when a limit has a token");
  change->bind(limit);
  at ? change->bind(micros(*at)) : change->bind_null();
  if (!change->step()) return;
  change->run();
  has_new_work_ = has_new_work_ || at;  // who waits for work waits for that moment, too
}

void database::wake_limits(moment now) {
  std::vector<std::int64_t> due;
  {
    const used rows =
        use("SELECT id FROM weft_limit WHERE wake_at IS NOT NULL AND wake_at <= ? ORDER BY wake_at LIMIT ?",
            "find limits that have a token");
    rows->bind(micros(now)).bind(woken_at_once_max);
    while (rows->step()) due.push_back(rows->integer(0));
  }
  {
    const used rows =
        use("SELECT id FROM weft_limit INDEXED BY weft_limit_wait"
            " WHERE wake_at IS NOT NULL AND wake_at - token_ns / 1000 > ? LIMIT ?",
            "find limits of a clock that was set back");
    rows->bind(latest_wait(now)).bind(woken_at_once_max);
    while (rows->step()) due.push_back(rows->integer(0));
  }
  for (const std::int64_t limit : due) top_up(limit, now);
}

std::optional<moment> database::next_token(moment now) {
  {
    const used set_back =
        use("SELECT 1 FROM weft_limit INDEXED BY weft_limit_wait"
            " WHERE wake_at IS NOT NULL AND wake_at - token_ns / 1000 > ? LIMIT 1",
            "look for limits of a clock that was set back");
    if (set_back->bind(latest_wait(now)).step()) return now;
  }
  const used row =
      use("SELECT min(wake_at) FROM weft_limit WHERE wake_at IS NOT NULL", "find the next token");
  row->step();
  const auto at = row->maybe_integer(0);
  return at ? std::optional(moment_at(*at)) : std::nullopt;
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

void database::forget_limits(moment now, std::size_t count) {
  use("DELETE FROM weft_limit WHERE id IN (SELECT id FROM weft_limit WHERE jobs = 0 AND full_at <= ? AND "
      "pinned = 0 LIMIT "
      "?)",
      "forget unused limits")
      ->bind(nanoseconds_of(now))
      .bind(static_cast<std::int64_t>(count))
      .run();
}

}  // namespace weft::inline v1::jobs::sqlite
