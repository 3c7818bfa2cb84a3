#include "jobs/postgres/pushes.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <weft/core/error.hpp>

#include "jobs/limit_turn.hpp"
#include "jobs/micros.hpp"
#include "jobs/token_bucket.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

using jobs_view = std::span<const new_job* const>;
using number = std::optional<std::int64_t>;

bool any(jobs_view jobs, bool (*has)(const new_job&)) {
  return std::ranges::any_of(jobs, [has](const new_job* job) { return has(*job); });
}

/// Adds what `each` adds, or as many NULLs as places it would take where no job has it.
template <typename Each>
void add_if(parameters& to, bool has, int places, Each each) {
  if (has) return each();
  for (int i = 0; i < places; ++i) to.untyped(std::nullopt);
}

/// For what a job has any number of: the place of the job, from 1, beside each.
template <typename Values>
std::vector<std::int64_t> places_of(jobs_view jobs, Values new_job::*values) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    places.insert(places.end(), (jobs[i]->*values).size(), static_cast<std::int64_t>(i + 1));
  }
  return places;
}

template <typename Value>
std::vector<const Value*> all_of(jobs_view jobs, std::vector<Value> new_job::*values) {
  std::vector<const Value*> all;
  for (const new_job* const job : jobs) {
    for (const Value& one : job->*values) all.push_back(&one);
  }
  return all;
}

token_bucket bucket_of(const limit_options& limit) {
  token_bucket bucket;
  bucket.set_rate(limit.rate, moment{});
  return bucket;
}

void add_limits(parameters& to, jobs_view jobs) {
  const auto of = [](auto value) {
    return [value](const new_job* job) -> number {
      return job->limit ? number(value(*job->limit)) : std::nullopt;
    };
  };
  to.texts(jobs, [](const new_job* job) -> std::optional<std::string_view> {
    return job->limit ? std::optional<std::string_view>(job->limit->key) : std::nullopt;
  });
  to.bigints(jobs, of([](const limit_options& limit) { return turn_of_limit(limit.key); }));
  to.bigints(jobs, of([](const limit_options& limit) { return std::int64_t{limit.max}; }));
  to.bigints(jobs, of([](const limit_options& limit) { return bucket_of(limit).token_ns(); }));
  to.bigints(jobs, of([](const limit_options& limit) { return bucket_of(limit).burst(); }));
}

void add_keys(parameters& to, jobs_view jobs) {
  to.byte_arrays(jobs, [](const new_job* job) -> std::optional<std::string_view> {
    return job->unique ? std::optional<std::string_view>(job->unique->key) : std::nullopt;
  });
  to.bigints(jobs, [](const new_job* job) -> number {
    return job->unique ? number(static_cast<std::int64_t>(job->unique->until)) : std::nullopt;
  });
  to.bigints(jobs, [](const new_job* job) -> number {
    return job->unique ? number(micros(job->unique->at_least)) : std::nullopt;
  });
}

std::vector<job_id> run_push(caller& by, const names& known, jobs_view jobs) {
  const parameters with = push_parameters(&known, jobs, true);
  return by.run([&](connection& on) { return pushed_ids(on.run(push_statement, with)); });
}

/// Has one of them been pushed? They are all or none.
bool is_there(caller& by, jobs_view jobs) {
  parameters with;
  with.bigints(jobs, [](const new_job* job) { return static_cast<std::int64_t>(job->id); });
  return by.run_idempotent([&](connection& on) {
    return on.run("SELECT EXISTS (SELECT 1 FROM weft.weft_job WHERE id = ANY ($1))", with).boolean(0, 0);
  });
}

/// What became of a push of which the answer was lost.
std::vector<job_id> settle(caller& by, names& known, jobs_view jobs) {
  std::vector<job_id> ids;
  for (const new_job* const job : jobs) {
    const jobs_view one(&job, 1);
    // Those that are not there had, or have now, another job with their key.
    ids.push_back(is_there(by, one) ? job->id : run_push(by, known, one).at(0));
  }
  return ids;
}

}  // namespace

bool is_plain(const new_job& job) noexcept {
  return !job.unique && !job.limit && job.after.empty() && !job.before;
}

#define WEFT_MORE_OF_A_PUSH \
  ",$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24) p"
#define WEFT_PUSH_BY_NAMES                              \
  " FROM weft.weft_names($2, $3) n CROSS JOIN LATERAL " \
  "weft.weft_push($1,n.queue_id,n.handler_id" WEFT_MORE_OF_A_PUSH

const char* const push_statement = "SELECT p.ids FROM weft.weft_push($1,$2,$3" WEFT_MORE_OF_A_PUSH;
const char* const push_by_names = "SELECT p.ids" WEFT_PUSH_BY_NAMES;
const char* const push_by_names_and_wake =
    "SELECT p.ids, pg_notify('weft_jobs', 'push w')" WEFT_PUSH_BY_NAMES;

#undef WEFT_PUSH_BY_NAMES
#undef WEFT_MORE_OF_A_PUSH

parameters push_parameters(const names* known, jobs_view jobs, bool is_short) {
  parameters with;
  with.bigints(jobs, [](const new_job* job) { return static_cast<std::int64_t>(job->id); });
  if (known != nullptr) {
    with.bigints(jobs, [&](const new_job* job) { return known->line_of(*job).queue; });
    with.bigints(jobs, [&](const new_job* job) { return known->line_of(*job).handler; });
  } else {
    with.texts(jobs, [](const new_job* job) { return std::string_view(job->queue); });
    with.texts(jobs, [](const new_job* job) { return std::string_view(job->handler); });
  }
  with.bigints(jobs, [](const new_job* job) { return std::int64_t{job->priority}; });
  with.bigints(jobs, [](const new_job* job) { return micros(job->created); });
  with.bigints(jobs, [](const new_job* job) { return micros(job->run_at); });
  with.bigints(jobs, [](const new_job* job) { return std::int64_t{job->backoffs}; });
  with.byte_arrays(jobs, [](const new_job* job) { return std::string_view(job->envelope); });
  add_if(with, any(jobs, [](const new_job& job) { return job.expires.has_value(); }), 1, [&] {
    with.bigints(jobs, [](const new_job* job) -> number {
      return job->expires ? number(micros(*job->expires)) : std::nullopt;
    });
  });
  add_if(with, any(jobs, [](const new_job& job) { return !job.tags.empty(); }), 2, [&] {
    with.bigints(places_of(jobs, &new_job::tags));
    with.texts(all_of(jobs, &new_job::tags), [](const std::string* tag) { return std::string_view(*tag); });
  });
  add_if(with, any(jobs, [](const new_job& job) { return job.unique.has_value(); }), 3,
         [&] { add_keys(with, jobs); });
  add_if(with, any(jobs, [](const new_job& job) { return job.limit.has_value(); }), 5,
         [&] { add_limits(with, jobs); });
  add_if(with, any(jobs, [](const new_job& job) { return !job.after.empty(); }), 3, [&] {
    const auto all = all_of(jobs, &new_job::after);
    with.bigints(places_of(jobs, &new_job::after));
    with.bigints(all, [](const job_dependency* one) { return static_cast<std::int64_t>(one->on); });
    with.bigints(all, [](const job_dependency* one) { return std::int64_t{one->even_if_given_up}; });
  });
  add_if(with, any(jobs, [](const new_job& job) { return job.before.has_value(); }), 1, [&] {
    with.bigints(jobs, [](const new_job* job) -> number {
      return job->before ? number(static_cast<std::int64_t>(*job->before)) : std::nullopt;
    });
  });
  with.boolean(is_short);
  return with;
}

std::vector<job_id> pushed_ids(const result& from) {
  std::vector<job_id> ids;
  for (const std::int64_t id : from.integers(0, 0)) ids.push_back(job_id{id});
  return ids;
}

std::vector<job_id> push_jobs(caller& by, names& known, jobs_view jobs) {
  known.know(by, jobs);
  const auto call = [&]() -> doubtful_call {
    const std::string first = to_string(jobs.front()->id);
    return {jobs.size() == 1 ? "push job " + first
                             : "push " + std::to_string(jobs.size()) + " jobs, the first of them " + first,
            "look whether they are there before you push them again"};
  };
  return by.run_until_known(call, [&](caller& own, bool& in_doubt) {
    if (in_doubt && is_there(own, jobs)) return settle(own, known, jobs);
    try {
      return run_push(own, known, jobs);
    } catch (const database_error& failed) {
      // The lost one was still under way, and has committed meanwhile: its ids are found taken.
      if (!in_doubt || failed.code() != errc::already_exists || !is_there(own, jobs)) throw;
      return settle(own, known, jobs);
    }
  });
}

void know_limits(caller& by, jobs_view jobs) {
  std::vector<const new_job*> limited;
  std::ranges::copy_if(jobs, std::back_inserter(limited),
                       [](const new_job* job) { return job->limit.has_value(); });
  if (limited.empty()) return;
  parameters with;
  add_limits(with, limited);
  with.bigint(micros(limited.front()->created));
  by.run_idempotent([&](connection& on) { on.run("SELECT weft.weft_limits($1,$2,$3,$4,$5,$6)", with); });
}

}  // namespace weft::inline v1::jobs::postgres
