#include <algorithm>
#include <tuple>
#include <utility>

#include "jobs/limit_turn.hpp"
#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Claiming: give up what has expired, promote what has become due, then move ready jobs of each queue to
// weft_running. The jobs of one closure, priority and limit are a line: a range of the primary key, in the
// order in which they are claimed. Lines of one limit are merged, and the limits take turns, a job each;
// whose turn is next is found by a step or two of the index for each closure, so neither the number of jobs
// nor that of limits counts. Where one limit is alone, or there are only jobs without one, its line is read
// as a whole.

namespace weft::inline v1::jobs::sqlite {
namespace {

constexpr int promotions_max = 500;
constexpr std::size_t held_back_max = 500;

#define WEFT_READY_JOBS                                                                                    \
  "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id FROM " \
  "weft_ready WHERE queue = ? AND handler = ?"

}  // namespace

bool database::is_idle(const claim_request& request, claim_result& result) {
  // Where there were jobs there are probably more, and looking is half of what a claim costs.
  if (std::exchange(claim_found_jobs_, false)) return false;
  check_worker(request.owner);
  result = {};
  find_due_schedules(request, result);
  result.next_due = next_due(request.now);
  if (result.next_due && *result.next_due <= request.now) return false;
  for (const auto& name : request.queues) {
    const auto queue = find_queue(name);
    if (!queue || is_paused(*queue)) continue;
    if (!routable_handlers(*queue, request, result).empty()) return false;
  }
  return true;
}

void database::claim(const claim_request& request, claim_result& result) {
  result = {};
  check_worker(request.owner);
  expire_some(request.now);
  promote(request);
  find_due_schedules(request, result);
  room_left room;
  for (const auto& name : request.queues) {
    if (result.jobs.size() >= request.count) break;
    const auto queue = find_queue(name);
    if (queue && !is_paused(*queue)) claim_from(*queue, request, room, result);
  }
  claim_found_jobs_ = !result.jobs.empty();
  for (const auto& [limit, left] : room) top_up(limit, request.now);
  if (!result.next_due) result.next_due = next_due(request.now);
}

void database::promote(const claim_request& request) {
  std::vector<place> due;
  {
    const used rows =
        use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, "
            "limit_id FROM "
            "weft_scheduled"
            " WHERE run_at <= ? ORDER BY run_at, id LIMIT ?",
            "find due jobs");
    rows->bind(micros(request.now)).bind(std::int64_t{promotions_max});
    while (rows->step()) due.push_back(place_of(rows));
  }
  for (const auto& job : due) move(job, job_state::scheduled, job_event::fell_due, {});
  wake_limits(request.now);
}

std::optional<moment> database::next_due(moment now) {
  const used row = use("SELECT min(run_at) FROM weft_scheduled", "find the next due moment");
  row->step();
  const auto at = row->maybe_integer(0);
  std::optional<moment> next = at ? std::optional(moment_at(*at)) : std::nullopt;
  for (const auto& other : {next_token(now), next_expiry()}) {
    if (other) next = std::min(next.value_or(*other), *other);
  }
  return next;
}

std::vector<std::int64_t> database::routable_handlers(std::int64_t queue, const claim_request& request,
                                                      claim_result& result) {
  std::vector<std::int64_t> known;
  std::int64_t handler = 0;
  const auto next = [&] {
    const used row =
        use("SELECT handler FROM weft_ready WHERE queue = ? AND handler > ? ORDER BY handler LIMIT 1",
            "find the closures of ready jobs");
    const bool found = row->bind(queue).bind(handler).step();
    if (found) handler = row->integer(0);
    return found;
  };
  while (next()) {
    if (!request.routable || request.routable(identity_of(handler))) {
      known.push_back(handler);
      continue;
    }
    const used row =
        use("SELECT count(*) FROM (SELECT 1 FROM weft_ready WHERE queue = ? AND handler = ? LIMIT ?)",
            "count ready jobs of an unknown closure");
    row->bind(queue).bind(handler).bind(unroutable_counted_max).step();
    result.unroutable += static_cast<std::size_t>(row->integer(0));
  }
  return known;
}

std::optional<database::place> database::first_ready(std::int64_t queue, std::int64_t handler) {
  const used row =
      use(WEFT_READY_JOBS " ORDER BY priority, limit_id, run_at, id LIMIT 1", "find a ready job");
  return row->bind(queue).bind(handler).step() ? std::optional(place_of(row)) : std::nullopt;
}

/// Of the same closure and priority, that of the next limit.
std::optional<database::place> database::next_ready(const place& first, std::int64_t turn) {
  const used row =
      use(WEFT_READY_JOBS " AND priority = ? AND limit_id > ? ORDER BY limit_id, run_at, id LIMIT 1",
          "find a ready job of the next limit");
  row->bind(first.queue).bind(first.handler).bind(first.priority).bind(turn);
  return row->step() ? std::optional(place_of(row)) : std::nullopt;
}

std::vector<database::place> database::read_line(const place& first, std::span<const std::int64_t> handlers,
                                                 std::size_t count) {
  std::vector<place> line;
  for (const std::int64_t handler : handlers) {
    const used rows = use(WEFT_READY_JOBS " AND priority = ? AND limit_id = ? ORDER BY run_at, id LIMIT ?",
                          "find ready jobs of a limit");
    rows->bind(first.queue).bind(handler).bind(first.priority).bind(first.limit);
    rows->bind(static_cast<std::int64_t>(count));
    while (rows->step()) line.push_back(place_of(rows));
  }
  std::sort(line.begin(), line.end(), [](const place& left, const place& right) {
    return std::tie(left.run_at, left.id) < std::tie(right.run_at, right.id);
  });
  if (line.size() > count) line.resize(count);
  return line;
}

std::optional<database::next_turn> database::next_in_turn(std::int64_t queue,
                                                          std::span<const std::int64_t> handlers,
                                                          std::int64_t turn) {
  std::vector<place> first;
  for (const std::int64_t handler : handlers) {
    if (const auto job = first_ready(queue, handler)) first.push_back(*job);
  }
  if (first.empty()) return std::nullopt;
  const std::int64_t priority =
      std::min_element(first.begin(), first.end(), [](const place& left, const place& right) {
        return left.priority < right.priority;
      })->priority;
  // Those whose turn is over in this round come after all others.
  const auto order = [turn](const place& job) {
    return std::make_tuple(job.limit <= turn, job.limit, job.run_at, job.id);
  };
  std::optional<place> next;
  for (const place& one : first) {
    if (one.priority != priority) continue;
    const auto later = one.limit > turn ? std::nullopt : next_ready(one, turn);
    const place& job = later ? *later : one;
    if (!next || order(job) < order(*next)) next = job;
  }
  return next_turn{*next, next->limit == turn};
}

std::int64_t database::last_turn(std::int64_t queue) {
  const used row = use("SELECT turn FROM weft_queue WHERE id = ?", "find whose turn was the last");
  return row->bind(queue).step() ? row->integer(0) : before_all_turns;
}

void database::set_last_turn(std::int64_t queue, std::int64_t turn) {
  use("UPDATE weft_queue SET turn = ? WHERE id = ?", "set whose turn was the last")
      ->bind(turn)
      .bind(queue)
      .run();
}

void database::claim_from(std::int64_t queue, const claim_request& request, room_left& room,
                          claim_result& result) {
  const auto handlers = routable_handlers(queue, request, result);
  if (handlers.empty()) return;
  const std::int64_t began_with = last_turn(queue);
  std::int64_t turn = began_with;
  std::size_t held_back = 0;
  while (result.jobs.size() < request.count && held_back < held_back_max) {
    const auto next = next_in_turn(queue, handlers, turn);
    if (!next) break;
    turn = next->job.limit;
    const std::size_t wanted = next->is_alone ? request.count - result.jobs.size() : 1;
    for (auto& job : wanted == 1 ? std::vector{next->job} : read_line(next->job, handlers, wanted)) {
      if (job.limit == 0 || take_room(job.limit, request.now, room)) {
        take_over(job, request, result);
      } else {
        move(job, job_state::ready, job_event::held_back, {.now = request.now});
        ++held_back;
      }
    }
  }
  // The rest at once, in a transaction of its own.
  if (held_back >= held_back_max) result.next_due = request.now;
  if (turn != began_with) set_last_turn(queue, turn);
}

void database::take_over(place& job, const claim_request& request, claim_result& result) {
  job.fence += 1;
  move(job, job_state::ready, job_event::claimed, {request.now, static_cast<std::int64_t>(request.owner)});
  const used row = use("SELECT envelope FROM weft_job WHERE id = ?", "read a claimed job");
  const bool found = row->bind(job.id).step();
  result.jobs.push_back({job_id{job.id}, name_of_queue(job.queue), identity_of(job.handler),
                         found ? row->text(0) : std::string(), static_cast<int>(job.priority), job.fence,
                         static_cast<int>(job.attempts), static_cast<int>(job.backoffs),
                         static_cast<int>(job.crashes)});
}

#undef WEFT_READY_JOBS

}  // namespace weft::inline v1::jobs::sqlite
