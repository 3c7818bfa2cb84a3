#include "jobs/postgres/claims.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

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
  claim_marks::answer marks;
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
  job.envelope = rows.bytes(row, 11);
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
        all.next_schedule = maybe_moment(rows, row, 3);
        all.work = rows.integer(row, 4) != 0;
        all.marks.has_all = !rows.is_null(row, 2);
        all.marks.unroutable = static_cast<std::size_t>(rows.maybe_integer(row, 2).value_or(0));
        all.marks.expires = maybe_moment(rows, row, 6);
        all.marks.pages = rows.maybe_integer(row, 7).value_or(0);
        all.marks.seen_to = rows.maybe_integer(row, 8);
        all.marks.promoted = rows.maybe_integer(row, 9);
        break;
      case row_kind::job:
        all.jobs.push_back(job_of(rows, row, known, request));
        if (const auto run_at = rows.maybe_integer(row, 9)) {
          all.marks.taken.push_back({{all.jobs.back().queue, rows.integer(row, 3), rows.integer(row, 4)},
                                     {*run_at, rows.integer(row, 1)}});
        }
        break;
      case row_kind::closure:
        known.learn(rows.integer(row, 1), rows.text(row, 10));
        all.has_new_closures = true;
        break;
      case row_kind::expired:
        all.expired.push_back(job_id{rows.integer(row, 1)});
        break;
    }
  }
  return all;
}

using look = claim_marks::look;

bool is_routable(const claim_request& request, const std::string& identity) {
  return !request.routable || request.routable(identity);
}

parameters claim_parameters(const names& known, const claim_marks& marks, const claim_request& request,
                            std::size_t count, look::kind how, bool expire) {
  std::vector<std::int64_t> routable;
  std::vector<std::int64_t> unroutable;
  {
    const no_wait_scope no_wait("the choice of jobs for a claim");
    for (const auto& [handler, identity] : known.identities()) {
      (is_routable(request, identity) ? routable : unroutable).push_back(handler);
    }
  }
  parameters with;
  with.bigint(static_cast<std::int64_t>(request.owner)).texts(request.queues);
  with.bigint(static_cast<std::int64_t>(count)).bigint(micros(request.now));
  with.bigints(routable).bigints(unroutable).boolean(expire);
  with.boolean(how != look::kind::marks || marks.is_cheap(request.owner));
  const bool is_whole = how == look::kind::whole;
  with.bigint(is_whole ? std::nullopt : how == look::kind::due ? INT64_MIN : marks.since());
  const auto from = is_whole ? std::vector<claim_marks::stretch>() : marks.stretches(request.queues);
  with.bigints(from, &claim_marks::stretch::queue).bigints(from, &claim_marks::stretch::handler);
  with.bigints(from, &claim_marks::stretch::priority);
  with.bigints(from, [](const claim_marks::stretch& one) { return one.from.run_at; });
  with.bigints(from, [](const claim_marks::stretch& one) { return one.from.id; });
  with.bigints(from, &claim_marks::stretch::below);
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

/// Makes a call that takes jobs until its answer comes.
told call_until_answered(caller& by, names& known, claim_marks& marks, const claim_request& request,
                         const std::vector<claimed_job>& so_far, const char* statement,
                         const parameters& with) {
  const auto call = [&]() -> doubtful_call {
    return {"claim jobs for worker " + to_string(request.owner),
            "what it took is given back with heartbeats of the worker, or when that leaves"};
  };
  std::int64_t server_pid = 0;
  return by.run_until_known(call, [&](caller& own, bool& in_doubt) {
    if (in_doubt) {
      give_lost_back(own, request, server_pid, so_far);
      marks.came_somewhere();
      in_doubt = false;
    }
    return own.run([&](connection& on) {
      server_pid = on.server_pid();
      return read_claim(on.run(statement, with), known, request);
    });
  });
}

/// Up to where a claim came that got as many jobs as it had asked for.
claim_marks::reach reach_of(const claimed_job& last, const claim_request& request) {
  const auto its = std::ranges::find(request.queues, last.queue);
  return {{request.queues.begin(), its}, last.queue, last.priority};
}

told call_claim(caller& by, names& known, claim_marks& marks, const claim_request& request,
                const std::vector<claimed_job>& so_far, const look& how, bool expire) {
  const std::size_t count = request.count - so_far.size();
  const parameters with = claim_parameters(known, marks, request, count, how.of, expire);
  claim_marks::question asked(marks, request.owner, how);
  told all = call_until_answered(
      by, known, marks, request, so_far,
      "SELECT * FROM weft.weft_claim($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)", with);
  // What has expired is seen to when it is told of no more; the same for closures to look at.
  if (!expire) all.marks.seen_to.reset();
  all.marks.is_full = all.jobs.size() == count;
  if (all.marks.is_full && count > 0) all.marks.up_to = reach_of(all.jobs.back(), request);
  if (all.expired.empty() && !all.has_new_closures)
    asked.answered(all.marks);
  else
    asked.promoted(all.marks);
  return all;
}

/// Jobs that came in behind the mark of a line.
void claim_slice(caller& by, names& known, claim_marks& marks, const claim_request& request, const look& how,
                 claim_result& result) {
  parameters with;
  with.bigint(static_cast<std::int64_t>(request.owner));
  with.bigint(std::ranges::find(request.queues, how.in.queue) - request.queues.begin() + 1);
  with.text(how.in.queue).bigint(how.in.handler).bigint(how.in.priority);
  with.bigint(how.part.from.run_at)
      .bigint(how.part.from.id)
      .bigint(how.part.to.run_at)
      .bigint(how.part.to.id);
  with.bigint(static_cast<std::int64_t>(request.count)).bigint(micros(request.now));
  claim_marks::question asked(marks, request.owner, how);
  told all =
      call_until_answered(by, known, marks, request, result.jobs,
                          "SELECT * FROM weft.weft_claim_slice($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", with);
  all.marks.is_full = !all.jobs.empty() && all.jobs.size() == request.count;
  asked.answered(all.marks);
  result.jobs = std::move(all.jobs);
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

/// Until there is no more that only this side can do.
void claim_some(caller& by, names& known, claim_marks& marks, const claim_request& request, const look& how,
                claimed& all) {
  claim_result& result = all.result;
  bool expire = true;
  for (;;) {
    told now_told = call_claim(by, known, marks, request, result.jobs, how, expire);
    std::ranges::move(now_told.jobs, std::back_inserter(result.jobs));
    all.work = all.work || now_told.work;
    if (!now_told.expired.empty()) {
      const bool work = expire_jobs(by, now_told.expired, request.now, all);
      if (work) marks.came_somewhere();
      all.work = all.work || work;
      expire = false;
      continue;
    }
    result.next_due = now_told.next_due;
    if (now_told.has_new_closures) {
      expire = false;
      continue;
    }
    if (now_told.next_schedule && *now_told.next_schedule > request.now) {
      result.next_fire = now_told.next_schedule;
    } else if (now_told.next_schedule) {
      result.next_fire.reset();
      result.schedules.clear();
      find_due_schedules(by, request, result);
    }
    return;
  }
}

/// The same after something was claimed. Those jobs belong to the worker, who would not know of them if an
/// error came instead: then there are only they, and false, and the next claim meets what failed.
bool claim_more(caller& by, names& known, claim_marks& marks, const claim_request& request, const look& how,
                claimed& all) {
  try {
    claim_some(by, known, marks, request, how, all);
    return true;
  } catch (const std::exception& failed) {
    if (all.result.jobs.empty()) throw;
    log::warn(
        "jobs: PostgreSQL: a claim failed after it had got some jobs, which are begun",
        {{"worker", to_string(request.owner)}, {"jobs", all.result.jobs.size()}, {"why", failed.what()}});
    all.result.next_due = request.now;
    return false;
  }
}

}  // namespace

claimed claim_jobs(caller& by, names& known, claim_marks& marks, const claim_request& request) {
  claimed all;
  claim_result& result = all.result;
  look how = marks.next_look(request.owner, request.queues, [&](std::int64_t handler) {
    const no_wait_scope no_wait("the choice of jobs for a claim");
    return is_routable(request, known.identity_of(handler));
  });
  if (how.of == look::kind::slice) {
    claim_slice(by, known, marks, request, how, result);
    how = {};
  }
  if (result.jobs.empty() || result.jobs.size() < request.count) {
    if (!claim_more(by, known, marks, request, how, all)) return all;
  }
  const bool is_short = result.jobs.size() < request.count;
  if (how.of == look::kind::marks && is_short && marks.next_time(request.owner) <= steady_clock::now() &&
      marks.is_cheap(request.owner)) {
    if (!claim_more(by, known, marks, request, {look::kind::whole}, all)) return all;
  } else if (how.of != look::kind::whole) {
    const auto sooner = [&](moment at) { result.next_due = std::min(result.next_due.value_or(at), at); };
    if (const auto expires = marks.next_expiry(request.owner); expires > request.now) sooner(*expires);
    if (is_short) {
      sooner(request.now + std::chrono::ceil<std::chrono::microseconds>(marks.next_time(request.owner) -
                                                                        steady_clock::now()));
    }
  }
  result.unroutable = marks.unroutable(request.owner);
  return all;
}

}  // namespace weft::inline v1::jobs::postgres
