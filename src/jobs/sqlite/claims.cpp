#include "jobs/sqlite/database.hpp"

// Claiming: promote what has become due, then walk the ready rows of each queue in the order of their
// key and move what the worker can run to weft_running. Rows of unknown closures are passed over; how
// many are looked at in one claim is bounded, so that they cannot hold the writer up.

namespace weft::jobs::sqlite {
namespace {

constexpr int promotions_max = 500;
constexpr std::size_t passed_over_max = 10'000;

std::int64_t micros(moment at) { return at.time_since_epoch().count(); }

}  // namespace

bool database::is_idle(const claim_request& request, claim_result& result) {
  result.next_due = next_due();
  if (result.next_due && *result.next_due <= request.now) return false;
  for (const auto& name : request.queues) {
    const auto queue = find_queue(name);
    if (!queue) continue;
    if (use("SELECT 1 FROM weft_ready WHERE queue = ? LIMIT 1", "look for ready jobs")->bind(*queue).step())
      return false;
  }
  return true;
}

void database::claim(const claim_request& request, claim_result& result) {
  result = {};
  promote(request);
  for (const auto& name : request.queues) {
    if (result.jobs.size() >= request.count) break;
    const auto queue = find_queue(name);
    if (queue) claim_from(*queue, request, result);
  }
  result.next_due = next_due();
}

void database::promote(const claim_request& request) {
  std::vector<place> due;
  {
    const used rows = use(
        "SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence FROM weft_scheduled"
        " WHERE run_at <= ? ORDER BY run_at, id LIMIT ?",
        "find due jobs");
    rows->bind(micros(request.now)).bind(std::int64_t{promotions_max});
    while (rows->step()) {
      due.push_back({rows->integer(0), rows->integer(1), rows->integer(2), rows->integer(3), rows->integer(4),
                     rows->integer(5), rows->integer(6), rows->integer(7), rows->integer(8)});
    }
  }
  for (const auto& job : due) {
    use("DELETE FROM weft_scheduled WHERE run_at = ? AND id = ?", "promote a job")
        ->bind(job.run_at)
        .bind(job.id)
        .run();
    put_ready(job);
  }
}

std::optional<moment> database::next_due() {
  const used row = use("SELECT min(run_at) FROM weft_scheduled", "find the next due moment");
  row->step();
  const auto at = row->maybe_integer(0);
  return at ? std::optional(moment(std::chrono::microseconds(*at))) : std::nullopt;
}

void database::claim_from(std::int64_t queue, const claim_request& request, claim_result& result) {
  std::vector<place> chosen;
  {
    const used rows =
        use("SELECT id, queue, handler, priority, run_at, attempts, backoffs, crashes, fence FROM weft_ready"
            " WHERE queue = ? ORDER BY priority, run_at, id",
            "find ready jobs");
    rows->bind(queue);
    const std::size_t wanted = request.count - result.jobs.size();
    while (chosen.size() < wanted && result.unroutable < passed_over_max && rows->step()) {
      const std::int64_t handler = rows->integer(2);
      if (request.routable && !request.routable(identity_of(handler))) {
        ++result.unroutable;
        continue;
      }
      chosen.push_back({rows->integer(0), queue, handler, rows->integer(3), rows->integer(4),
                        rows->integer(5), rows->integer(6), rows->integer(7), rows->integer(8)});
    }
  }
  for (const auto& job : chosen) take_over(job, request, result);
}

void database::take_over(const place& job, const claim_request& request, claim_result& result) {
  use("DELETE FROM weft_ready WHERE queue = ? AND priority = ? AND run_at = ? AND id = ?", "claim a job")
      ->bind(job.queue)
      .bind(job.priority)
      .bind(job.run_at)
      .bind(job.id)
      .run();
  use("INSERT INTO weft_running (id, owner, queue, priority, handler, run_at, attempts, backoffs, crashes, "
      "fence, started)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      "claim a job")
      ->bind(job.id)
      .bind(static_cast<std::int64_t>(request.owner))
      .bind(job.queue)
      .bind(job.priority)
      .bind(job.handler)
      .bind(job.run_at)
      .bind(job.attempts)
      .bind(job.backoffs)
      .bind(job.crashes)
      .bind(job.fence + 1)
      .bind(micros(request.now))
      .run();
  const used row = use("SELECT envelope FROM weft_job WHERE id = ?", "read a claimed job");
  const bool found = row->bind(job.id).step();
  result.jobs.push_back({job_id{job.id}, name_of_queue(job.queue), identity_of(job.handler),
                         found ? row->text(0) : std::string(), static_cast<int>(job.priority), job.fence + 1,
                         static_cast<int>(job.attempts), static_cast<int>(job.backoffs),
                         static_cast<int>(job.crashes)});
}

}  // namespace weft::jobs::sqlite
