#include "jobs/postgres/postgres_store.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

#include "jobs/micros.hpp"
#include "jobs/postgres/body.hpp"
#include "jobs/postgres/claims.hpp"
#include "jobs/postgres/ends.hpp"
#include "jobs/postgres/migrate.hpp"
#include "jobs/postgres/pushes.hpp"
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
    const ended all = finish_attempts(caller_, doubts_, ends);
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
  one.held = finish_and_push(caller_, names_, doubts_, *one.end).held.at(0);
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
  claimed all = ask_for(claims_, [&](caller& by) {
    try {
      return claim_jobs(by, names_, marks_, request);
    } catch (const error&) {
      held_.look_soon(request.owner);
      throw;
    }
  });
  asked.answered(request.owner, all.result.jobs);
  for (const job_id id : all.expired) notices_.tell_of_end(id);
  if (all.work) notices_.tell_of_work();
  return std::move(all.result);
}

}  // namespace weft::inline v1::jobs::postgres
