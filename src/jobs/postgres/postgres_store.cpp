#include "jobs/postgres/postgres_store.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "jobs/micros.hpp"
#include "jobs/postgres/body.hpp"
#include "jobs/postgres/claims.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/migrate.hpp"
#include "jobs/postgres/pushes.hpp"
#include "jobs/postgres/reads.hpp"
#include "jobs/postgres/schedules.hpp"
#include "jobs/postgres/workers.hpp"

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::size_t connections_max = 10;  // one for each fiber of the lanes that share the pool
constexpr std::size_t bodies_at_once_max = 4;
constexpr std::size_t pushes_together = 512;
constexpr std::size_t ends_together = 1024;
constexpr std::size_t writes_between_sums = 1000;
constexpr std::chrono::seconds between_looks_at_clock{10};
constexpr std::chrono::seconds patience_for_clock{1};
constexpr int first_looks_at_clock = 3;  // the quickest one counts

std::vector<const new_job*> jobs_of(const std::vector<push_request*>& taken) {
  std::vector<const new_job*> jobs;
  for (const push_request* const one : taken) {
    for (const new_job& job : one->jobs) jobs.push_back(&job);
  }
  return jobs;
}

/// `serve_one` for each, whose failure is that request's alone.
template <typename Request, typename ServeOne>
void one_by_one(const std::vector<Request*>& taken, ServeOne serve_one) {
  for (Request* const one : taken) {
    try {
      serve_one(*one);
    } catch (...) {
      one->error = std::current_exception();
    }
  }
}

/// Would it be the same for each of them alone?
bool is_of_all(const error& failed) {
  const auto* const known = dynamic_cast<const database_error*>(&failed);
  return known != nullptr && known->is_connection();
}

}  // namespace

postgres_store::postgres_store(const std::string& url, const store_options& options)
    : options_(options),
      thread_("weft-postgres"),
      pool_(address(url), {.connections_max = connections_max}),
      beats_pool_(address(url), {.connections_max = 1}),
      bodies_pool_(address(url), {.connections_max = bodies_at_once_max}),
      caller_(pool_, options.busy_timeout),
      beats_caller_(beats_pool_, options.busy_timeout),
      notices_(thread_, address(url), options.poll_interval),
      pushes_(thread_, "jobs: pushes", 1, pushes_together, [this](auto& taken) { serve_pushes(taken); }),
      waiting_pushes_(thread_, "jobs: pushes", 2, 1, [this](auto& taken) { serve_pushes(taken); }),
      ends_(thread_, "jobs: ends", 1, ends_together, [this](auto& taken) { serve_ends(taken); }),
      waiting_ends_(
          thread_, "jobs: ends", 1, 1,
          [this](auto& taken) { one_by_one(taken, [this](end_request& one) { finish_one(one); }); }),
      claims_(thread_, "jobs: claims", 1, 1, [this](auto& taken) { taken[0]->apply(caller_); }),
      beats_(thread_, "jobs: beats", 1, 1, [this](auto& taken) { taken[0]->apply(beats_caller_); }),
      changes_(thread_, "jobs: changes", 2, 1, [this](auto& taken) { taken[0]->apply(caller_); }),
      reads_(thread_, "jobs: reads", 2, 1, [this](auto& taken) { taken[0]->apply(caller_); }) {
  try {
    ask(changes_, [&](caller& by) {
      by.run_idempotent([&](connection& on) { options_.prepare ? migrate(on) : expect_current(on); });
      for (int i = 0; i < first_looks_at_clock; ++i) ask_for_time(by, clock_);
    });
    thread_.start("jobs: the server's time", [this] { follow_clock(); });
  } catch (...) {
    close_lanes();
    throw;
  }
}

postgres_store::~postgres_store() { close_lanes(); }

void postgres_store::close_lanes() noexcept {
  closing_ = true;
  closes_.unpark();
  notices_.stop();
  pushes_.close();
  waiting_pushes_.close();
  ends_.close();
  waiting_ends_.close();
  claims_.close();
  beats_.close();
  changes_.close();
  reads_.close();
  // Connections end on the thread that they are used on.
  try {
    thread_.start("jobs: close", [this] {
      for (connection_pool* const one : {&pool_, &beats_pool_, &bodies_pool_}) one->close_idle();
    });
  } catch (const error&) {
  }
  thread_.stop();
}

void postgres_store::ask(lane<call_request>& in, std::function<void(caller&)> apply) {
  call_request asked;
  asked.apply = std::move(apply);
  in.ask(asked);
}

template <typename Work>
auto postgres_store::ask_for(lane<call_request>& in, Work work) {
  std::optional<std::invoke_result_t<Work&, caller&>> value;
  ask(in, [&](caller& by) { value.emplace(work(by)); });
  return std::move(*value);
}

/// For what may put jobs back to where claims have been.
template <typename Work>
auto postgres_store::ask_for_return(lane<call_request>& in, Work work) {
  return ask_for(in, [&](caller& by) {
    auto value = work(by);
    marks_.came_somewhere();
    return value;
  });
}

std::vector<job_id> postgres_store::push(std::span<const new_job> jobs) {
  push_request asked;
  asked.jobs = jobs;
  (std::ranges::all_of(jobs, is_plain) ? pushes_ : waiting_pushes_).ask(asked);
  return std::move(asked.ids);
}

void postgres_store::serve_pushes(std::vector<push_request*>& taken) {
  const auto jobs = jobs_of(taken);
  try {
    const auto ids = jobs.empty() ? std::vector<job_id>() : push_jobs(caller_, names_, jobs);
    auto next = ids.begin();
    for (push_request* const one : taken) {
      const auto end = next + static_cast<std::ptrdiff_t>(one->jobs.size());
      one->ids.assign(next, end);
      next = end;
    }
    note_pushes(jobs);
  } catch (const error& failed) {
    if (taken.size() == 1 || is_of_all(failed)) throw;
    one_by_one(taken, [this](push_request& one) {
      std::vector<push_request*> only{&one};
      serve_pushes(only);
    });
  }
  notices_.tell_of_work();
  count_writes();
}

/// What this store pushes, its claims find.
void postgres_store::note_pushes(std::span<const new_job* const> jobs) {
  for (const new_job* const job : jobs) {
    if (job->expires) marks_.comes(*job->expires);
    if (job->run_at > job->created) {
      marks_.comes(job->run_at);
    } else if (!job->limit && job->after.empty()) {
      marks_.came({job->queue, names_.line_of(*job).handler, job->priority},
                  {micros(job->run_at), static_cast<std::int64_t>(job->id)});
    }
  }
}

/// The same of what comes back with the ends of attempts.
void postgres_store::note_ends(std::span<const attempt_end* const> ends, bool work) {
  bool all_come_later = true;
  for (const attempt_end* const end : ends) {
    if (end->next == next_step::again && end->run_at > end->now) {
      marks_.comes(end->run_at);
      continue;
    }
    all_come_later = false;
    if (end->next == next_step::again || end->next == next_step::released) marks_.came_somewhere();
  }
  if (work && !all_come_later) marks_.came_somewhere();
}

bool postgres_store::finish(const attempt_end& end) {
  end_request asked;
  asked.end = &end;
  const bool pushes = end.next == next_step::done && !end.pushes.empty();
  (pushes ? waiting_ends_ : ends_).ask(asked);
  held_.ended(end);
  return asked.held;
}

void postgres_store::serve_ends(std::vector<end_request*>& taken) {
  std::ranges::sort(taken, {}, [](const end_request* one) { return one->end->id; });  // the order of locks
  std::vector<const attempt_end*> ends;
  for (const end_request* const one : taken) ends.push_back(one->end);
  try {
    const ended all = finish_attempts(caller_, ends);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      taken[i]->held = all.held[i];
      if (all.held[i]) notices_.tell_of_end(taken[i]->end->id);
    }
    note_ends(ends, all.work);
    if (all.work) notices_.tell_of_work();
  } catch (const error& failed) {
    if (taken.size() == 1 || is_of_all(failed)) throw;
    one_by_one(taken, [this](end_request& one) {
      std::vector<end_request*> only{&one};
      serve_ends(only);
    });
  }
  count_writes();
}

void postgres_store::finish_one(end_request& one) {
  one.held = finish_and_push(caller_, names_, *one.end).held.at(0);
  if (!one.held) return;
  std::vector<const new_job*> jobs;
  for (const new_job& job : one.end->pushes) jobs.push_back(&job);
  note_pushes(jobs);
  marks_.came_somewhere();  // those that waited for its end
  notices_.tell_of_end(one.end->id);
  notices_.tell_of_work();
}

void postgres_store::count_writes() {
  if (++writes_ < writes_between_sums) return;
  writes_ = 0;
  thread_.start("jobs: counts", [this] { sum_counts(caller_); });
}

/// Workers learn the server's time with each heartbeat; this is for programs that only push.
void postgres_store::follow_clock() {
  caller by(pool_, patience_for_clock);
  while (!closing_) {
    closes_.park_for(between_looks_at_clock);
    if (closing_ || !clock_.is_old(server_clock::since_start())) continue;
    try {
      ask_for_time(by, clock_);
    } catch (const error& failed) {
      log::debug([&] { return "jobs: PostgreSQL does not tell its time: " + failed.message(); });
    }
  }
}

void postgres_store::transact(const std::function<void(store_transaction&)>& body,
                              const transaction_options& options) {
  run_body(thread_, caller(bodies_pool_, options_.busy_timeout), caller_, names_, body, options);
  thread_.call([&] { marks_.came_somewhere(); });
  notices_.tell_of_work();
}

// Not in a lane: what it holds up might wait for the transaction that asks.
bool postgres_store::knows(const new_job& job) {
  return thread_.call([&] { return names_.knows(job); });
}

void postgres_store::make_known(const new_job& job) {
  thread_.call([&] {
    const new_job* const only = &job;
    names_.know(caller_, {&only, 1});
    know_limits(caller_, {&only, 1});
  });
}

claim_result postgres_store::claim(const claim_request& request) {
  held_claims::question asked(held_);
  claimed all = ask_for(claims_, [&](caller& by) { return claim_jobs(by, names_, marks_, request); });
  asked.answered(request.owner, all.result.jobs);
  for (const job_id id : all.expired) notices_.tell_of_end(id);
  if (all.work) notices_.tell_of_work();
  return std::move(all.result);
}

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

bool postgres_store::remove(job_id id, moment now) {
  const bool found = ask_for_return(changes_, [&](caller& by) { return postgres::remove(by, id, now); });
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
