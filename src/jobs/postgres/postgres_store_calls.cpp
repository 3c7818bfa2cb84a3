#include "jobs/postgres/postgres_store.hpp"

#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "jobs/postgres/reads.hpp"
#include "jobs/postgres/schedules.hpp"
#include "jobs/postgres/workers.hpp"

// Calls that are one function of the database each, but for who is to be told of it.

namespace weft::inline v1::jobs::postgres {

bool postgres_store::progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  return ask_for(changes_, [&](caller& by) { return show_progress(by, id, owner, fence, now_at); });
}

bool postgres_store::holds(job_id id, worker_id owner, std::int64_t fence) {
  return ask_for(reads_, [&](caller& by) { return postgres::holds(by, id, owner, fence); });
}

std::optional<std::string> postgres_store::step(job_id id, std::string_view name) {
  return ask_for(reads_, [&](caller& by) { return postgres::step(by, id, name); });
}

void postgres_store::read_steps(job_id id, const std::function<void(std::string_view value)>& each) {
  for (const auto& one : ask_for(reads_, [&](caller& by) { return steps(by, id); })) each(one);
}

bool postgres_store::keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                               std::string_view value) {
  return ask_for(changes_,
                 [&](caller& by) { return postgres::keep_step(by, id, owner, fence, name, value); });
}

void postgres_store::put_schedule(const stored_schedule& schedule) {
  ask(changes_, [&](caller& by) { postgres::put_schedule(by, schedule); });
  notices_.tell_of_work();
}

bool postgres_store::remove_schedule(std::string_view name) {
  return ask_for(changes_, [&](caller& by) { return postgres::remove_schedule(by, name); });
}

bool postgres_store::pause_schedule(std::string_view name) {
  return ask_for(changes_, [&](caller& by) { return postgres::pause_schedule(by, name); });
}

bool postgres_store::resume_schedule(std::string_view name, moment last, moment next) {
  const bool found =
      ask_for(changes_, [&](caller& by) { return postgres::resume_schedule(by, name, last, next); });
  notices_.tell_of_work();
  return found;
}

std::vector<stored_schedule> postgres_store::schedules() { return ask_for(reads_, all_schedules); }

bool postgres_store::fire(const schedule_fire& fire) {
  const bool fired = ask_for_return(changes_, [&](caller& by) { return fire_schedule(by, names_, fire); });
  if (fired) notices_.tell_of_work();
  return fired;
}

void postgres_store::add_worker(const worker_row& worker) {
  held_.forget(worker.id);
  ask(changes_, [&](caller& by) { postgres::add_worker(by, worker); });
}

std::vector<job_id> postgres_store::beat(worker_id owner) {
  std::size_t given_back = 0;
  auto cancelled = ask_for(beats_, [&](caller& by) {
    try {
      beaten answer = postgres::beat(by, owner, clock_);
      if (held_.wants_look(owner, answer.session))
        given_back = give_back_unknown(by, owner, held_, clock_.now());
      if (given_back > 0) marks_.came_somewhere();
      return std::move(answer.cancelled);
    } catch (const error& failed) {
      if (failed.code() == errc::not_found) held_.forget(owner);
      throw;
    }
  });
  if (given_back > 0) {
    log::warn("jobs: the database has forgotten what became of jobs; they are ready again",
              {{"worker", to_string(owner)}, {"jobs", given_back}});
    notices_.tell_of_work();
  }
  return cancelled;
}

void postgres_store::remove_worker(worker_id owner, moment now) {
  held_.forget(owner);
  ask(changes_, [&](caller& by) {
    postgres::remove_worker(by, owner, now);
    marks_.forget(owner);
    marks_.came_somewhere();
  });
  notices_.tell_of_work();
  notices_.tell_of_ends();
}

std::vector<worker_row> postgres_store::workers() { return ask_for(reads_, all_workers); }

worker_row postgres_store::lead(worker_id self, const std::optional<worker_row>& silent) {
  return ask_for(changes_, [&](caller& by) { return postgres::lead(by, self, silent); });
}

std::optional<std::size_t> postgres_store::rescue(const worker_row& seen, moment now, int crashes_max) {
  const auto count =
      ask_for_return(changes_, [&](caller& by) { return postgres::rescue(by, seen, now, crashes_max); });
  if (!count) return count;
  held_.forget(seen.id);
  notices_.tell_of_work();
  notices_.tell_of_ends();
  return count;
}

bool postgres_store::cancel(job_id id, moment now) {
  const bool found = ask_for_return(changes_, [&](caller& by) { return postgres::cancel(by, id, now); });
  if (!found) return false;
  notices_.tell_of_work();  // for those that waited for its end
  notices_.tell_of_end(id);
  return true;
}

bool postgres_store::retry(job_id id, moment now) {
  const bool found = ask_for_return(changes_, [&](caller& by) { return postgres::retry(by, id, now); });
  if (found) notices_.tell_of_work();
  return found;
}

std::size_t postgres_store::retry_all(std::string_view queue, job_state state, moment now,
                                      std::size_t limit) {
  const auto count =
      ask_for_return(changes_, [&](caller& by) { return postgres::retry_all(by, queue, state, now, limit); });
  if (count > 0) notices_.tell_of_work();
  return count;
}

std::size_t postgres_store::purge(const purge_bounds& before, moment now, std::size_t limit) {
  const auto count = ask_for_return(changes_, [&](caller& by) {
    sum_counts(by);
    return postgres::purge(by, before, now, limit);
  });
  if (count > 0) {
    notices_.tell_of_work();
    notices_.tell_of_ends();
  }
  return count;
}

bool postgres_store::remove(job_id id, std::optional<job_state> seen, moment now) {
  const bool found =
      ask_for_return(changes_, [&](caller& by) { return postgres::remove(by, id, seen, now); });
  if (!found) return false;
  notices_.tell_of_work();  // for those that waited for it
  notices_.tell_of_end(id);
  return true;
}

std::vector<stored_limit> postgres_store::limits(std::string_view after, std::size_t count) {
  return ask_for(reads_, [&](caller& by) { return postgres::limits(by, after, count); });
}

void postgres_store::set_limit(const limit_options& limit, bool pinned, moment now) {
  ask(changes_, [&](caller& by) { postgres::set_limit(by, limit, pinned, now); });
  notices_.tell_of_work();
}

bool postgres_store::release_limit(std::string_view key) {
  return ask_for_return(changes_, [&](caller& by) { return postgres::release_limit(by, key); });
}

void postgres_store::set_paused(std::string_view queue, bool paused) {
  ask(changes_, [&](caller& by) { postgres::set_paused(by, queue, paused); });
  if (!paused) notices_.tell_of_work();
}

std::optional<stored_job> postgres_store::find(job_id id) {
  return ask_for(reads_, [&](caller& by) { return find_job(by, id); });
}

std::vector<stored_job> postgres_store::list(const list_filter& filter) {
  return ask_for(reads_, [&](caller& by) { return list_jobs(by, filter); });
}

std::vector<queue_stats> postgres_store::stats() { return ask_for(reads_, read_stats); }

std::vector<oldest_ready> postgres_store::find_oldest_ready(moment now) {
  return ask_for(reads_, [&](caller& by) { return postgres::find_oldest_ready(by, now); });
}

state_counts postgres_store::count_tagged(std::string_view tag) {
  return ask_for(reads_, [&](caller& by) { return postgres::count_tagged(by, tag); });
}

std::vector<std::string> postgres_store::tags(std::string_view start, std::string_view before,
                                              std::size_t limit) {
  return ask_for(reads_, [&](caller& by) { return list_tags(by, start, before, limit); });
}

std::int64_t postgres_store::count_unroutable(const std::function<bool(std::string_view handler)>& routable) {
  return ask_for(reads_, [&](caller& by) { return postgres::count_unroutable(by, routable); });
}

std::uint64_t postgres_store::bell() const { return notices_.work().value(); }

std::uint64_t postgres_store::wait_bell(std::uint64_t seen, steady_time until) {
  notices_.listen();
  return notices_.work().wait(seen, until);
}

void postgres_store::ring() { notices_.work().ring(); }

std::uint64_t postgres_store::end_bell(job_id id) const { return notices_.end_of(id).value(); }

std::uint64_t postgres_store::wait_end(job_id id, std::uint64_t seen, steady_time until) {
  notices_.listen();
  return notices_.end_of(id).wait(seen, until);
}

}  // namespace weft::inline v1::jobs::postgres
