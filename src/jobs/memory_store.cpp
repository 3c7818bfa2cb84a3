#include "jobs/memory_store.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

namespace weft::jobs {
namespace {

bool is_waiting(const stored_job& job) noexcept {
  return job.state == job_state::ready || job.state == job_state::scheduled;
}

bool is_given_up(const stored_job& job) noexcept {
  return job.state == job_state::dead || job.state == job_state::cancelled ||
         job.state == job_state::quarantined;
}

/// Gathers the pushes of a body; they become jobs when it has returned.
class staged_transaction final : public store_transaction {
 public:
  void push(const new_job& job) override { staged.push_back(job); }
  ::sqlite3* sqlite() override { return nullptr; }
  sql_rows run(std::string_view, std::span<const sql_value>) override {
    throw error(errc::unsupported,
                "jobs: run a statement of a transaction: the memory: store has none; use sqlite:");
  }
  std::int64_t changes() override { return 0; }

  std::vector<new_job> staged;
};

}  // namespace

void memory_store::push(std::span<const new_job> jobs) {
  weft::detail::check_cancelled("jobs: wait for the store");
  {
    const std::lock_guard lock(mutex_);
    insert(jobs);
  }
  bell_.ring();
}

void memory_store::insert(std::span<const new_job> jobs) {
  std::set<job_id> fresh;
  for (const auto& job : jobs) {
    if (jobs_.contains(job.id) || !fresh.insert(job.id).second) {
      throw error(errc::already_exists, "jobs: push a job: the id " + to_string(job.id) + " is taken");
    }
  }
  for (const auto& job : jobs) {
    stored_job& kept = jobs_[job.id];
    kept.id = job.id;
    kept.queue = job.queue;
    kept.handler = job.handler;
    kept.envelope = job.envelope;
    kept.priority = job.priority;
    kept.created = job.created;
    make_waiting(kept, job.run_at, job.created);
  }
}

void memory_store::transact(const std::function<void(store_transaction&)>& body, const transaction_options&) {
  weft::detail::check_cancelled("jobs: wait for the store");
  staged_transaction transaction;
  {
    const no_wait_scope no_wait("the body of jobs::queue::transact");
    body(transaction);
  }
  push(transaction.staged);
}

void memory_store::make_waiting(stored_job& job, moment run_at, moment now) {
  job.run_at = run_at;
  job.owner.reset();
  job.finished.reset();
  job.cancel_requested = false;
  job.state = run_at > now ? job_state::scheduled : job_state::ready;
}

void memory_store::make_ended(stored_job& job, job_state state, moment now) {
  job.state = state;
  job.finished = now;
  job.owner.reset();
}

claim_result memory_store::claim(const claim_request& request) {
  const no_wait_scope no_wait("the choice of jobs for a claim");
  const std::lock_guard lock(mutex_);
  claim_result result;
  for (auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled && job.run_at <= request.now) job.state = job_state::ready;
  }
  for (const auto& queue : request.queues) claim_from(queue, request, result);
  result.next_due = next_due();
  return result;
}

void memory_store::claim_from(const std::string& queue, const claim_request& request, claim_result& result) {
  std::vector<stored_job*> ready;
  for (auto& [id, job] : jobs_) {
    if (job.state == job_state::ready && job.queue == queue) ready.push_back(&job);
  }
  std::sort(ready.begin(), ready.end(), [](const stored_job* left, const stored_job* right) {
    return std::tie(left->priority, left->run_at, left->id) <
           std::tie(right->priority, right->run_at, right->id);
  });
  for (stored_job* const job : ready) {
    if (result.jobs.size() >= request.count) return;
    if (request.routable && !request.routable(job->handler)) {
      ++result.unroutable;
      continue;
    }
    job->state = job_state::running;
    job->owner = request.owner;
    job->fence += 1;
    job->past.push_back({.fence = job->fence, .owner = request.owner, .started = request.now});
    result.jobs.push_back({job->id, job->queue, job->handler, job->envelope, job->priority, job->fence,
                           job->attempts, job->backoffs, job->crashes});
  }
}

std::optional<moment> memory_store::next_due() const {
  std::optional<moment> next;
  for (const auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled && (!next || job.run_at < *next)) next = job.run_at;
  }
  return next;
}

stored_job* memory_store::held(job_id id, worker_id owner, std::int64_t fence) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return nullptr;
  stored_job& job = found->second;
  const bool holds = job.state == job_state::running && job.owner == owner && job.fence == fence;
  return holds ? &job : nullptr;
}

bool memory_store::holds(job_id id, worker_id owner, std::int64_t fence) {
  const std::lock_guard lock(mutex_);
  return held(id, owner, fence) != nullptr;
}

bool memory_store::finish(const attempt_end& end) {
  const std::lock_guard lock(mutex_);
  stored_job* const job = held(end.id, end.owner, end.fence);
  if (job == nullptr) return false;
  const stored_attempt claimed = job->past.back();
  job->past.pop_back();
  if (end.next != next_step::released) {
    job->past.push_back(end.record);
    job->past.back().fence = claimed.fence;
    job->past.back().owner = claimed.owner;
  }
  const bool spends = end.counts && (end.next == next_step::again || end.next == next_step::dead);
  job->attempts += spends ? 1 : 0;
  job->backoffs += end.next == next_step::again && end.backs_off ? 1 : 0;
  switch (end.next) {
    case next_step::released:
      make_waiting(*job, job->run_at, job->run_at);
      break;
    case next_step::again:
      make_waiting(*job, end.run_at, end.now);
      break;
    case next_step::done:
      make_ended(*job, job_state::done, end.now);
      break;
    case next_step::dead:
      make_ended(*job, job_state::dead, end.now);
      break;
    case next_step::cancelled:
      make_ended(*job, job_state::cancelled, end.now);
      break;
    case next_step::quarantined:
      make_ended(*job, job_state::quarantined, end.now);
      break;
  }
  bell_.ring();
  return true;
}

void memory_store::add_worker(const worker_row& worker) {
  const std::lock_guard lock(mutex_);
  workers_[worker.id] = worker;
  workers_[worker.id].beat = 1;
}

std::vector<job_id> memory_store::beat(worker_id owner) {
  const std::lock_guard lock(mutex_);
  const auto found = workers_.find(owner);
  if (found == workers_.end()) {
    throw error(errc::not_found, "jobs: beat for worker " + to_string(owner) +
                                     ": it was taken for dead, and its jobs were given to others");
  }
  found->second.beat += 1;
  std::vector<job_id> cancelled;
  for (const auto& [id, job] : jobs_) {
    if (job.state == job_state::running && job.owner == owner && job.cancel_requested)
      cancelled.push_back(id);
  }
  return cancelled;
}

void memory_store::remove_worker(worker_id owner) {
  {
    const std::lock_guard lock(mutex_);
    workers_.erase(owner);
    for (auto& [id, job] : jobs_) {
      if (job.state != job_state::running || job.owner != owner) continue;
      job.past.pop_back();
      make_waiting(job, job.run_at, job.run_at);
    }
  }
  bell_.ring();
}

std::vector<worker_row> memory_store::workers() {
  const std::lock_guard lock(mutex_);
  std::vector<worker_row> all;
  for (const auto& [id, worker] : workers_) {
    all.push_back(worker);
    all.back().running = std::count_if(jobs_.begin(), jobs_.end(), [&owner = id](const auto& entry) {
      return entry.second.state == job_state::running && entry.second.owner == owner;
    });
  }
  return all;
}

std::size_t memory_store::rescue(worker_id owner, moment now, int crashes_max) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    workers_.erase(owner);
    for (auto& [id, job] : jobs_) {
      if (job.state != job_state::running || job.owner != owner) continue;
      ++count;
      auto& crashed = job.past.back();
      crashed.attempt = job.attempts + 1;
      crashed.outcome = attempt_outcome::crashed;
      crashed.ended = std::max(now, crashed.started);
      job.crashes += 1;
      if (job.crashes >= crashes_max) {
        make_ended(job, job_state::quarantined, now);
      } else {
        make_waiting(job, job.run_at, job.run_at);
      }
    }
  }
  bell_.ring();
  return count;
}

bool memory_store::cancel(job_id id, moment now) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return false;
  stored_job& job = found->second;
  if (is_waiting(job)) {
    make_ended(job, job_state::cancelled, now);
    return true;
  }
  if (job.state != job_state::running) return false;
  job.cancel_requested = true;
  return true;
}

bool memory_store::retry(job_id id, moment now) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || !is_given_up(found->second)) return false;
    stored_job& job = found->second;
    job.attempts = job.backoffs = job.crashes = 0;
    make_waiting(job, now, now);
  }
  bell_.ring();
  return true;
}

std::size_t memory_store::purge(moment before, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (auto one = jobs_.begin(); one != jobs_.end() && count < limit;) {
    const stored_job& job = one->second;
    const bool old = job.finished && *job.finished < before && job.state != job_state::quarantined;
    one = old ? jobs_.erase(one) : std::next(one);
    count += old ? 1 : 0;
  }
  return count;
}

std::optional<stored_job> memory_store::find(job_id id) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return std::nullopt;
  stored_job job = found->second;
  if (job.state == job_state::running) job.past.pop_back();
  return job;
}

std::vector<stored_job> memory_store::list(const list_filter& filter) {
  const std::lock_guard lock(mutex_);
  std::vector<stored_job> all;
  for (auto one = jobs_.rbegin(); one != jobs_.rend() && all.size() < filter.limit; ++one) {
    const stored_job& job = one->second;
    if (filter.before && job.id >= *filter.before) continue;
    if (!filter.queue.empty() && job.queue != filter.queue) continue;
    if (filter.state && job.state != *filter.state) continue;
    all.push_back(job);
    all.back().past.clear();
  }
  return all;
}

std::vector<queue_stats> memory_store::stats() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, queue_stats> by_queue;
  for (const auto& [id, job] : jobs_) {
    auto& of = by_queue[job.queue];
    of.queue = job.queue;
    switch (job.state) {
      case job_state::scheduled:
        ++of.scheduled;
        break;
      case job_state::ready:
        ++of.ready;
        break;
      case job_state::running:
        ++of.running;
        break;
      case job_state::done:
        ++of.done;
        break;
      case job_state::dead:
        ++of.dead;
        break;
      case job_state::cancelled:
        ++of.cancelled;
        break;
      case job_state::quarantined:
        ++of.quarantined;
        break;
    }
  }
  std::vector<queue_stats> all;
  for (auto& [name, of] : by_queue) all.push_back(of);
  return all;
}

std::int64_t memory_store::count_unroutable(const std::function<bool(std::string_view handler)>& routable) {
  const no_wait_scope no_wait("the choice of jobs to count");
  const std::lock_guard lock(mutex_);
  return std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return is_waiting(entry.second) && !routable(entry.second.handler);
  });
}

}  // namespace weft::jobs
