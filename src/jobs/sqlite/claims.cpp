#include "jobs/sqlite/database.hpp"

// Claiming: promote what has become due, then walk the ready rows of each queue in the order of their
// key and move what the worker can run to weft_running. Rows of unknown closures are passed over; how
// many are looked at in one claim is bounded, so that they cannot hold the writer up.

namespace weft::jobs::sqlite {
namespace {

constexpr int promotions_max = 500;
constexpr std::size_t passed_over_max = 10'000;
constexpr std::size_t held_back_max = 500;

std::int64_t micros(moment at) { return at.time_since_epoch().count(); }

}  // namespace

bool database::is_idle(const claim_request& request, claim_result& result) {
  check_worker(request.owner);
  find_due_schedules(request, result);
  result.next_due = next_due();
  if (result.next_due && *result.next_due <= request.now) return false;
  for (const auto& name : request.queues) {
    const auto queue = find_queue(name);
    if (!queue || is_paused(*queue)) continue;
    if (use("SELECT 1 FROM weft_ready WHERE queue = ? LIMIT 1", "look for ready jobs")->bind(*queue).step())
      return false;
  }
  return true;
}

void database::claim(const claim_request& request, claim_result& result) {
  result = {};
  check_worker(request.owner);
  promote(request);
  find_due_schedules(request, result);
  for (const auto& name : request.queues) {
    if (result.jobs.size() >= request.count) break;
    const auto queue = find_queue(name);
    if (queue && !is_paused(*queue)) claim_from(*queue, request, result);
  }
  if (!result.next_due) result.next_due = next_due();
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
}

std::optional<moment> database::next_due() {
  const used row = use("SELECT min(run_at) FROM weft_scheduled", "find the next due moment");
  row->step();
  const auto at = row->maybe_integer(0);
  return at ? std::optional(moment(std::chrono::microseconds(*at))) : std::nullopt;
}

void database::claim_from(std::int64_t queue, const claim_request& request, claim_result& result) {
  std::vector<place> chosen;
  std::vector<place> held_back;
  room_left room;
  {
    const used rows =
        use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence, flags, "
            "limit_id FROM "
            "weft_ready"
            " WHERE queue = ? ORDER BY priority, run_at, id",
            "find ready jobs");
    rows->bind(queue);
    const std::size_t wanted = request.count - result.jobs.size();
    while (chosen.size() < wanted && result.unroutable < passed_over_max && rows->step()) {
      if (request.routable && !request.routable(identity_of(rows->integer(2)))) {
        ++result.unroutable;
        continue;
      }
      const place job = place_of(rows);
      const bool fits = job.limit == 0 || take_room(job.limit, room);
      (fits ? chosen : held_back).push_back(job);
      if (held_back.size() < held_back_max) continue;
      result.next_due = request.now;  // the rest at once, in a transaction of its own
      break;
    }
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
