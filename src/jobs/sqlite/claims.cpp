#include <algorithm>
#include <map>
#include <utility>

#include "jobs/micros.hpp"
#include "jobs/sqlite/database.hpp"

// Claiming: give up what has expired, promote what has become due, then move ready jobs of each queue to
// weft_running. The jobs of one closure are a range of the primary key, in the order in which they are
// claimed. So the closures that the queue has jobs of are found first, by a step of the index for each, and
// the ranges of those that the worker knows are merged. Jobs of others cost nothing, however many there are.

namespace weft::jobs::sqlite {
namespace {

constexpr int promotions_max = 500;
constexpr std::size_t held_back_max = 500;
constexpr std::size_t read_at_once = 64;

constexpr database::turn before_all{INT64_MIN, INT64_MIN, INT64_MIN};

}  // namespace

bool database::is_idle(const claim_request& request, claim_result& result) {
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

std::deque<database::place> database::read_ready(std::int64_t queue, std::int64_t handler, const turn& after,
                                                 std::size_t count) {
  std::deque<place> some;
  const used rows =
      use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, limit_id"
          " FROM weft_ready WHERE queue = ? AND handler = ? AND (priority, run_at, id) > (?,?,?)"
          " ORDER BY priority, run_at, id LIMIT ?",
          "find ready jobs");
  const auto& [priority, run_at, id] = after;
  rows->bind(queue).bind(handler).bind(priority).bind(run_at).bind(id).bind(static_cast<std::int64_t>(count));
  while (rows->step()) some.push_back(place_of(rows));
  return some;
}

void database::claim_from(std::int64_t queue, const claim_request& request, room_left& room,
                          claim_result& result) {
  const std::size_t wanted = request.count - result.jobs.size();
  std::map<turn, std::deque<place>> lines;  // one for each closure, by who is first in it
  const auto read = [&](std::int64_t handler, const turn& after, std::size_t count) {
    auto some = read_ready(queue, handler, after, count);
    if (!some.empty()) lines.emplace(turn_of(some.front()), std::move(some));
  };
  const auto handlers = routable_handlers(queue, request, result);
  for (const std::int64_t handler : handlers) read(handler, before_all, 1 + wanted / handlers.size());

  std::vector<place> chosen;
  std::vector<place> held_back;
  while (chosen.size() < wanted && !lines.empty()) {
    auto line = lines.extract(lines.begin());
    const place job = line.mapped().front();
    line.mapped().pop_front();
    if (line.mapped().empty()) {
      read(job.handler, turn_of(job), read_at_once);
    } else {
      line.key() = turn_of(line.mapped().front());
      lines.insert(std::move(line));
    }
    const bool fits = job.limit == 0 || take_room(job.limit, request.now, room);
    (fits ? chosen : held_back).push_back(job);
    if (held_back.size() < held_back_max) continue;
    result.next_due = request.now;  // the rest at once, in a transaction of its own
    break;
  }
  for (const auto& job : held_back) move(job, job_state::ready, job_event::held_back, {.now = request.now});
  for (auto& job : chosen) take_over(job, request, result);
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

}  // namespace weft::jobs::sqlite
