#include "jobs/postgres/claims.hpp"

#include <algorithm>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "jobs/due_schedules.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/micros.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/schedules.hpp"

// A claim is one call of weft_claim. The function tells of what only a client can do: closures that it has to
// look at, and jobs that have expired, whose last attempt it writes; then it is called again. What is asked
// of the user (routable, wants_schedule) is asked here.

namespace weft::inline v1::jobs::postgres {
namespace {

enum class row_kind : std::int64_t { summary, job, closure, expired };

/// Answers of one call.
struct told {
  std::optional<moment> next_due;
  std::optional<moment> next_schedule;
  std::size_t unroutable = 0;
  std::vector<claimed_job> jobs;
  std::vector<job_id> expired;
  bool has_new_closures = false;
  bool work = false;
};

claimed_job job_of(const result& rows, std::size_t row, const names& known, const claim_request& request) {
  claimed_job job;
  job.id = job_id{rows.integer(row, 1)};
  job.queue = request.queues.at(static_cast<std::size_t>(rows.integer(row, 2) - 1));
  job.handler = known.identity_of(rows.integer(row, 3));
  job.priority = static_cast<int>(rows.integer(row, 4));
  job.fence = rows.integer(row, 5);
  job.attempts = static_cast<int>(rows.integer(row, 6));
  job.backoffs = static_cast<int>(rows.integer(row, 7));
  job.crashes = static_cast<int>(rows.integer(row, 8));
  job.envelope = rows.bytes(row, 10);
  return job;
}

std::optional<moment> maybe_moment(const result& rows, std::size_t row, std::size_t column) {
  const auto at = rows.maybe_integer(row, column);
  return at ? std::optional(moment_at(*at)) : std::nullopt;
}

told read_claim(const result& rows, names& known, const claim_request& request) {
  told all;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    switch (static_cast<row_kind>(rows.integer(row, 0))) {
      case row_kind::summary:
        all.next_due = maybe_moment(rows, row, 1);
        all.unroutable = static_cast<std::size_t>(rows.integer(row, 2));
        all.next_schedule = maybe_moment(rows, row, 3);
        all.work = rows.integer(row, 4) != 0;
        break;
      case row_kind::job:
        all.jobs.push_back(job_of(rows, row, known, request));
        break;
      case row_kind::closure:
        known.learn(rows.integer(row, 1), rows.text(row, 9));
        all.has_new_closures = true;
        break;
      case row_kind::expired:
        all.expired.push_back(job_id{rows.integer(row, 1)});
        break;
    }
  }
  return all;
}

parameters claim_parameters(const names& known, const claim_request& request, std::size_t count,
                            bool expire) {
  std::vector<std::int64_t> routable;
  std::vector<std::int64_t> unroutable;
  {
    const no_wait_scope no_wait("the choice of jobs for a claim");
    for (const auto& [handler, identity] : known.identities()) {
      (!request.routable || request.routable(identity) ? routable : unroutable).push_back(handler);
    }
  }
  parameters with;
  with.bigint(static_cast<std::int64_t>(request.owner)).texts(request.queues);
  with.bigint(static_cast<std::int64_t>(count)).bigint(micros(request.now));
  with.bigints(routable).bigints(unroutable).boolean(expire);
  return with;
}

/// Gives back what a claim took whose answer was lost. The server's process that may still be at it is ended.
void give_lost_back(caller& by, const claim_request& request, std::int64_t server_pid,
                    const std::vector<claimed_job>& kept) {
  parameters process;
  process.bigint(server_pid);
  parameters whose;
  whose.bigint(static_cast<std::int64_t>(request.owner)).bigint(micros(request.now));
  by.run_idempotent([&](connection& on) {
    on.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = $1 AND usename = "
        "current_user",
        process);
    const auto rows = on.run(
        "SELECT id, fence FROM weft.weft_running WHERE owner = $1 AND started = $2 ORDER BY id", whose);
    std::vector<attempt_end> lost;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const job_id id{rows.integer(row, 0)};
      if (std::ranges::any_of(kept, [id](const claimed_job& one) { return one.id == id; })) continue;
      attempt_end end;
      end.id = id;
      end.owner = request.owner;
      end.fence = rows.integer(row, 1);
      end.next = next_step::released;
      end.now = request.now;
      lost.push_back(end);
    }
    std::vector<const attempt_end*> all;
    for (const auto& one : lost) all.push_back(&one);
    if (!all.empty()) finish_on(on, all);
  });
}

told call_claim(caller& by, names& known, const claim_request& request,
                const std::vector<claimed_job>& so_far, bool expire) {
  const parameters with = claim_parameters(known, request, request.count - so_far.size(), expire);
  for (;;) {
    std::int64_t server_pid = 0;
    try {
      return by.run([&](connection& on) {
        server_pid = on.server_pid();
        return read_claim(on.run("SELECT * FROM weft.weft_claim($1,$2,$3,$4,$5,$6,$7)", with), known,
                          request);
      });
    } catch (const database_error& failed) {
      if (!failed.is_in_doubt()) throw;
    }
    give_lost_back(by, request, server_pid, so_far);
  }
}

bool expire_jobs(caller& by, const std::vector<job_id>& ids, moment now, claimed& all) {
  parameters with;
  with.bigints(ids, [](job_id id) { return static_cast<std::int64_t>(id); });
  // The number of its attempt is the row's; the error names none.
  with.byte_arrays(ids, [now](job_id id) { return expired_attempt(id, 1, now).error; });
  with.bigint(micros(now));
  return by.run_idempotent([&](connection& on) {
    const auto rows = on.run("SELECT ids, work FROM weft.weft_expire($1,$2,$3)", with);
    for (const std::int64_t id : rows.integers(0, 0)) all.expired.push_back(job_id{id});
    return rows.boolean(0, 1);
  });
}

void find_due_schedules(caller& by, const claim_request& request, claim_result& result) {
  // One more than are told of shows that there are more.
  for (const auto& name : request.queues) {
    std::size_t found = 0;
    for (auto& row : schedules_of(by, name)) {
      if (row.paused) continue;
      if (row.next > request.now) {
        result.next_fire = std::min(result.next_fire.value_or(row.next), row.next);
        break;
      }
      if (found > schedules_per_claim_max) continue;
      const no_wait_scope no_wait("the choice of schedules for a claim");
      if (request.wants_schedule && !request.wants_schedule(row)) continue;
      result.schedules.push_back(std::move(row));
      ++found;
    }
  }
  keep_longest_due(request, result);
}

}  // namespace

claimed claim_jobs(caller& by, names& known, const claim_request& request) {
  claimed all;
  claim_result& result = all.result;
  bool expire = true;
  for (;;) {
    told now_told = call_claim(by, known, request, result.jobs, expire);
    std::ranges::move(now_told.jobs, std::back_inserter(result.jobs));
    all.work = all.work || now_told.work;
    if (!now_told.expired.empty()) {
      all.work = expire_jobs(by, now_told.expired, request.now, all) || all.work;
      expire = false;
      continue;
    }
    result.next_due = now_told.next_due;
    result.unroutable = now_told.unroutable;
    if (now_told.has_new_closures) {
      expire = false;
      continue;
    }
    if (now_told.next_schedule && *now_told.next_schedule > request.now) {
      result.next_fire = now_told.next_schedule;
    } else if (now_told.next_schedule) {
      find_due_schedules(by, request, result);
    }
    return all;
  }
}

}  // namespace weft::inline v1::jobs::postgres
