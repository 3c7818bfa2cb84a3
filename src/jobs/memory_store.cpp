#include "jobs/memory_store.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <tuple>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>

#include "jobs/job_step.hpp"
#include "jobs/kept_attempt.hpp"
#include "jobs/limit_turn.hpp"

namespace weft::inline v1::jobs {
namespace {

void forget_old_attempts(stored_job& job) {
  std::erase_if(job.past, [oldest = oldest_kept_fence(job.fence)](const stored_attempt& one) {
    return one.fence < oldest;
  });
}

}  // namespace

/// Gathers the pushes of a body; they become jobs when it has returned.
class memory_store::staged_transaction final : public store_transaction {
 public:
  explicit staged_transaction(memory_store& of) : store_(of) {}

  job_id push(const new_job& job) override {
    if (const auto holder = holder_of_key(job)) return *holder;
    staged.push_back(job);
    try {
      const std::lock_guard lock(store_.mutex_);
      store_.check_pushes(staged);
    } catch (const error&) {  // the body may go on after it
      staged.pop_back();
      throw;
    }
    return job.id;
  }
  ::sqlite3* sqlite() override { return nullptr; }
  sql_rows run(std::string_view, std::span<const sql_value>) override {
    throw error(errc::unsupported,
                "jobs: run a statement of a transaction: the memory: store has none; use sqlite:");
  }
  std::int64_t changes() override { return 0; }

  std::vector<new_job> staged;

 private:
  std::optional<job_id> holder_of_key(const new_job& job) const {
    if (!job.unique) return std::nullopt;
    for (const auto& one : staged) {
      if (one.unique && one.unique->key == job.unique->key) return one.id;
    }
    const std::lock_guard lock(store_.mutex_);
    return store_.holder_of(*job.unique, job.created);
  }

  memory_store& store_;
};

std::vector<job_id> memory_store::push(std::span<const new_job> jobs) {
  weft::detail::check_cancelled("jobs: wait for the store");
  std::vector<job_id> ids;
  {
    const std::lock_guard lock(mutex_);
    ids = insert(jobs);
  }
  bell_.ring();
  return ids;
}

std::vector<job_id> memory_store::insert(std::span<const new_job> jobs) {
  check_pushes(jobs);
  std::vector<job_id> ids;
  for (const auto& job : jobs) ids.push_back(insert_one(job));
  return ids;
}

job_id memory_store::insert_one(const new_job& job) {
  if (job.unique) {
    if (const auto holder = holder_of(*job.unique, job.created)) return *holder;
    unique_[job.id] = {*job.unique};
    key_holders_[job.unique->key] = job.id;
  }
  if (job.limit) limit_push(*job.limit, job.created);
  stored_job& kept = jobs_[job.id];
  kept.id = job.id;
  kept.queue = job.queue;
  kept.handler = job.handler;
  kept.envelope = job.envelope;
  kept.priority = job.priority;
  kept.created = job.created;
  kept.run_at = job.run_at;
  kept.backoffs = job.backoffs;
  kept.tags = job.tags;
  std::sort(kept.tags.begin(), kept.tags.end());
  kept.tags.erase(std::unique(kept.tags.begin(), kept.tags.end()), kept.tags.end());
  if (job.limit) {
    kept.limit = job.limit->key;
    limits_.at(kept.limit).jobs.insert(job.id);
  }
  if (job.expires) expiries_[job.id] = *job.expires;
  add_dependencies(kept, job);
  add_dependent(job);
  const auto what = !kept.waits_for.empty()    ? job_event::pushed_behind
                    : job.run_at > job.created ? job_event::pushed_ahead
                                               : job_event::pushed;
  kept.state = state_after(what);
  return job.id;
}

std::optional<job_id> memory_store::holder_of(const unique_key& key, moment now,
                                              std::optional<job_id> ending) const {
  const auto held = key_holders_.find(key.key);
  if (held == key_holders_.end()) return std::nullopt;
  const unique_hold& hold = unique_.at(held->second);
  const bool by_job = hold.by_job && held->second != ending;
  return by_job || hold.of.at_least > now ? std::optional(held->second) : std::nullopt;
}

void memory_store::release_key(const stored_job& job, moment now) {
  const auto found = unique_.find(job.id);
  if (found == unique_.end() || !found->second.by_job) return;
  unique_hold& hold = found->second;
  if (!is_ended(job.state) && hold.of.until == unique_until::ended) return;
  hold.by_job = false;
  if (hold.of.at_least <= now) key_holders_.erase(hold.of.key);
}

void memory_store::transact(const std::function<void(store_transaction&)>& body, const transaction_options&) {
  weft::detail::check_cancelled("jobs: wait for the store");
  staged_transaction transaction(*this);
  {
    const no_wait_scope no_wait("the body of jobs::queue::transact");
    body(transaction);
  }
  push(transaction.staged);
}

void memory_store::move(stored_job& job, job_event what, moment now) {
  const job_state from = std::exchange(job.state, state_after(job.state, what));
  job.owner.reset();
  job.cancel_requested = false;
  job.progress.reset();
  job.finished = is_ended(job.state) ? std::optional(now) : std::nullopt;
  if (!is_waiting(job.state)) release_key(job, now);
  if (is_ended(job.state)) {
    release_children(job, now);
    ends_.of(job.id).ring();
  }
  const bool gave_up_its_turn = from == job_state::ready && is_ended(job.state);
  if (!job.limit.empty() && (from == job_state::running || gave_up_its_turn)) top_up(job.limit, now);
}

claim_result memory_store::claim(const claim_request& request) {
  const no_wait_scope no_wait("the choice of jobs for a claim");
  const std::lock_guard lock(mutex_);
  if (!workers_.contains(request.owner)) refuse_unknown_worker("claim", request.owner);
  claim_result result;
  expire(request.now);
  for (auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled && job.run_at <= request.now)
      move(job, job_event::fell_due, request.now);
  }
  std::set<std::string> limits;
  for (const auto& [name, limit] : limits_) {
    if (!limit.wake_at) continue;
    const bool set_back = *limit.wake_at - std::chrono::nanoseconds(limit.tokens.token_ns()) >
                          request.now + clocks_differ_max + std::chrono::milliseconds(1);
    if (set_back || *limit.wake_at <= request.now) limits.insert(name);
  }
  for (const auto& name : std::exchange(limits, {})) top_up(name, request.now);
  for (const auto& queue : request.queues) {
    if (result.jobs.size() >= request.count) break;
    if (!paused_.contains(queue)) claim_from(queue, request, limits, result);
  }
  for (const auto& limit : limits) top_up(limit, request.now);
  if (!limits.empty()) bell_.ring();  // who waits for work waits for their next tokens, too
  result.next_due = next_due();
  find_due_schedules(request, result);
  return result;
}

void memory_store::expire(moment now) {
  bool any = false;
  for (const auto& [id, expires] : expiries_) {
    stored_job& job = jobs_.at(id);
    if (expires >= now || !is_waiting(job.state)) continue;
    job.fence += 1;
    job.past.push_back(expired_attempt(id, job.attempts + 1, now));
    job.past.back().fence = job.fence;
    forget_old_attempts(job);
    move(job, job_event::expired, now);
    any = true;
  }
  if (any) bell_.ring();  // for those that waited for its end
}

std::vector<stored_job*> memory_store::routable_of(const std::string& queue, const claim_request& request,
                                                   claim_result& result) {
  std::vector<stored_job*> ready;
  std::map<std::string, std::int64_t> unroutable;
  for (auto& [id, job] : jobs_) {
    if (job.state != job_state::ready || job.queue != queue) continue;
    if (!request.routable || request.routable(job.handler)) {
      ready.push_back(&job);
    } else {
      ++unroutable[job.handler];
    }
  }
  for (const auto& [handler, count] : unroutable)
    result.unroutable += static_cast<std::size_t>(std::min(count, unroutable_counted_max));
  std::sort(ready.begin(), ready.end(), [](const stored_job* left, const stored_job* right) {
    return std::tie(left->priority, left->run_at, left->id) <
           std::tie(right->priority, right->run_at, right->id);
  });
  return ready;
}

void memory_store::claim_from(const std::string& queue, const claim_request& request,
                              std::set<std::string>& limits, claim_result& result) {
  using line = std::deque<stored_job*>;
  std::map<std::pair<int, std::int64_t>, line> lines;  // by priority and turn
  for (stored_job* const job : routable_of(queue, request, result))
    lines[{job->priority, turn_of_limit(job->limit)}].push_back(job);
  std::int64_t& turn = turns_.try_emplace(queue, before_all_turns).first->second;
  while (!lines.empty() && result.jobs.size() < request.count) {
    const int priority = lines.begin()->first.first;
    auto next = lines.upper_bound({priority, turn});
    if (next == lines.end() || next->first.first != priority) next = lines.begin();
    turn = next->first.second;
    stored_job* const job = next->second.front();
    next->second.pop_front();
    if (next->second.empty()) lines.erase(next);
    if (!job->limit.empty()) {
      limits.insert(job->limit);
      if (room_of(limits_.at(job->limit), request.now) <= 0) {
        move(*job, job_event::held_back, request.now);
        continue;
      }
    }
    take_over(*job, request, result);
  }
}

void memory_store::take_over(stored_job& job, const claim_request& request, claim_result& result) {
  move(job, job_event::claimed, request.now);
  if (!job.limit.empty()) limits_.at(job.limit).tokens.take(request.now);
  job.owner = request.owner;
  job.fence += 1;
  job.past.push_back({.fence = job.fence, .owner = request.owner, .started = request.now});
  result.jobs.push_back({job.id, job.queue, job.handler, job.envelope, job.priority, job.fence, job.attempts,
                         job.backoffs, job.crashes});
}

std::optional<moment> memory_store::next_due() const {
  std::optional<moment> next;
  for (const auto& [id, job] : jobs_) {
    if (job.state == job_state::scheduled && (!next || job.run_at < *next)) next = job.run_at;
  }
  for (const auto& [id, expires] : expiries_) {
    const moment at = expires + std::chrono::microseconds(1);
    if (is_waiting(jobs_.at(id).state) && (!next || at < *next)) next = at;
  }
  for (const auto& [name, limit] : limits_) {
    if (limit.wake_at && (!next || *limit.wake_at < *next)) next = limit.wake_at;
  }
  return next;
}

stored_job* memory_store::held(job_id id, [[maybe_unused]] worker_id owner,
                               [[maybe_unused]] std::int64_t fence) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return nullptr;
  stored_job& job = found->second;
#ifdef WEFT_BUG_7  // no fencing
  const bool holds = job.state == job_state::running;
#else
  const bool holds = job.state == job_state::running && job.owner == owner && job.fence == fence;
#endif
  return holds ? &job : nullptr;
}

bool memory_store::holds(job_id id, worker_id owner, std::int64_t fence) {
  const std::lock_guard lock(mutex_);
  return held(id, owner, fence) != nullptr;
}

std::optional<std::string> memory_store::step(job_id id, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto of = steps_.find(id);
  if (of == steps_.end()) return std::nullopt;
  const auto found = of->second.find(name);
  return found != of->second.end() ? std::optional(found->second) : std::nullopt;
}

void memory_store::read_steps(job_id id, const std::function<void(std::string_view value)>& each) {
  const std::lock_guard lock(mutex_);
  const auto of = steps_.find(id);
  if (of == steps_.end()) return;
  for (const auto& [name, value] : of->second) each(value);
}

bool memory_store::keep_step(job_id id, worker_id owner, std::int64_t fence, std::string_view name,
                             std::string_view value) {
  const std::lock_guard lock(mutex_);
  if (held(id, owner, fence) == nullptr) return false;
  auto& of = steps_[id];
  if (of.size() >= steps_max && !of.contains(name)) throw_too_many_steps(id);
  of.insert_or_assign(std::string(name), std::string(value));
  return true;
}

bool memory_store::progress(job_id id, worker_id owner, std::int64_t fence, const job_progress& now_at) {
  const std::lock_guard lock(mutex_);
  stored_job* const job = held(id, owner, fence);
  if (job != nullptr) job->progress = now_at;
  return job != nullptr;
}

void memory_store::set_paused(std::string_view queue, bool paused) {
  {
    const std::lock_guard lock(mutex_);
    if (paused) {
      paused_.emplace(queue);
    } else {
      paused_.erase(std::string(queue));
    }
  }
  bell_.ring();
}

bool memory_store::finish(const attempt_end& end) {
  const std::lock_guard lock(mutex_);
  stored_job* const job = held(end.id, end.owner, end.fence);
  if (job == nullptr) return false;
  const std::span<const new_job> pushes =
      end.next == next_step::done ? std::span(end.pushes) : std::span<const new_job>();
  check_pushes(pushes, end.id);
  const stored_attempt claimed = job->past.back();
  job->past.pop_back();
  if (end.next != next_step::released) {
    job->past.push_back(end.record);
    job->past.back().fence = claimed.fence;
    job->past.back().owner = claimed.owner;
    forget_old_attempts(*job);
  } else if (!job->limit.empty()) {
    limits_.at(job->limit).tokens.give_back(claimed.started, end.now);
  }
  job->attempts += spends_attempt(end) ? 1 : 0;
  job->crashes += end.crashed ? 1 : 0;
  job->backoffs += end.next == next_step::again && end.backs_off ? 1 : 0;
  if (end.next == next_step::again) job->run_at = end.run_at;
  if (end.next == next_step::done) job->result = end.result;
  move(*job, event_of(end, job->cancel_requested), end.now);
  for (const auto& one : pushes) insert_one(one);
  bell_.ring();
  return true;
}

void memory_store::add_worker(const worker_row& worker) {
  const std::lock_guard lock(mutex_);
  const auto [added, is_new] = workers_.try_emplace(worker.id, worker);
  if (is_new) added->second.beat += 1;
}

std::vector<job_id> memory_store::beat(worker_id owner) {
  const std::lock_guard lock(mutex_);
  const auto found = workers_.find(owner);
  if (found == workers_.end()) refuse_unknown_worker("beat", owner);
  found->second.beat += 1;
  std::vector<job_id> cancelled;
  for (const auto& [id, job] : jobs_) {
    if (job.state == job_state::running && job.owner == owner && job.cancel_requested)
      cancelled.push_back(id);
  }
  return cancelled;
}

void memory_store::remove_worker(worker_id owner, moment now) {
  {
    const std::lock_guard lock(mutex_);
    workers_.erase(owner);
    for (auto& [id, job] : jobs_) {
      if (job.state != job_state::running || job.owner != owner) continue;
      job.past.pop_back();
      attempt_end end;
      end.next = next_step::released;
      move(job, event_of(end, job.cancel_requested), now);
    }
  }
  bell_.ring();
}

worker_row memory_store::lead(worker_id self, const std::optional<worker_row>& silent) {
  const std::lock_guard lock(mutex_);
  const auto own = workers_.find(self);
  if (own == workers_.end()) refuse_unknown_worker("lead", self);
  const auto leader = workers_.find(leader_);
  const bool is_there = leader != workers_.end();
  const bool is_silent = is_there && silent && leader_ == silent->id && leader->second.beat == silent->beat;
  if (is_there && !is_silent) return leader->second;
  leader_ = self;
  return own->second;
}

std::optional<std::size_t> memory_store::rescue(const worker_row& seen, moment now, int crashes_max) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = workers_.find(seen.id);
    if (found == workers_.end() || found->second.beat != seen.beat) return std::nullopt;
    workers_.erase(found);
    for (auto& [id, job] : jobs_) {
      if (job.state != job_state::running || job.owner != seen.id) continue;
      ++count;
      auto& crashed = job.past.back();
      crashed.attempt = job.attempts + 1;
      crashed.outcome = attempt_outcome::crashed;
      crashed.ended = std::max(now, crashed.started);
      forget_old_attempts(job);
      job.crashes += 1;
      move(job, event_of_loss(job.crashes, crashes_max, job.cancel_requested), now);
    }
  }
  bell_.ring();
  return count;
}

bool memory_store::cancel(job_id id, moment now) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return false;
    stored_job& job = found->second;
    if (job.state == job_state::running) {
      job.cancel_requested = true;
      return true;
    }
    if (!can(job.state, job_event::cancelled)) return false;
    move(job, job_event::cancelled, now);
  }
  bell_.ring();  // for those that waited for its end
  return true;
}

void memory_store::take_key_again(const stored_job& job, moment now) {
  const auto own = unique_.find(job.id);
  if (own == unique_.end()) return;
  const auto holder = holder_of(own->second.of, now);
  if (holder && *holder != job.id) {
    throw error(errc::already_exists, "jobs: retry job " + to_string(job.id) + ": job " + to_string(*holder) +
                                          " has its unique key by now");
  }
  own->second.by_job = true;
  key_holders_[own->second.of.key] = job.id;
}

bool memory_store::has_expired(job_id id, moment now) const {
  const auto found = expiries_.find(id);
  return found != expiries_.end() && found->second < now;
}

void memory_store::retry_one(stored_job& job, moment now) {
  take_key_again(job, now);
  job.attempts = job.backoffs = job.crashes = 0;
  job.run_at = now;
  move(job, job_event::retried, now);
}

bool memory_store::retry(job_id id, moment now) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || !can(found->second.state, job_event::retried)) return false;
    if (has_expired(id, now)) throw_retried_too_late(id);
    retry_one(found->second, now);
  }
  bell_.ring();
  return true;
}

std::size_t memory_store::retry_all(std::string_view queue, job_state state, moment now, std::size_t limit) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_) {
      const bool fits = job.state == state && (queue.empty() || job.queue == queue);
      if (count == limit || !fits || !can(state, job_event::retried) || has_expired(id, now)) continue;
      try {
        retry_one(job, now);
        ++count;
      } catch (const error& refused) {
        if (refused.code() != errc::already_exists) throw;
      }
    }
  }
  bell_.ring();
  return count;
}

void memory_store::forget_key_of(job_id id, moment before) {
  const auto own = unique_.find(id);
  if (own == unique_.end() || own->second.of.at_least > before) return;
  const auto holder = key_holders_.find(own->second.of.key);
  if (holder != key_holders_.end() && holder->second == id) key_holders_.erase(holder);
  unique_.erase(own);
}

void memory_store::forget_keys(moment before) {
  for (auto one = unique_.begin(); one != unique_.end();) {
    const job_id id = (one++)->first;
    if (!jobs_.contains(id)) forget_key_of(id, before);
  }
}

bool memory_store::is_unused(const limit_state& limit, moment now) {
  return limit.jobs.empty() && !limit.pinned && limit.tokens.is_full(now);
}

void memory_store::forget_limits(moment now) {
  std::erase_if(limits_, [&](const auto& entry) { return is_unused(entry.second, now); });
}

void memory_store::forget_details(const stored_job& job, moment now) {
  steps_.erase(job.id);
  expiries_.erase(job.id);
  cancel_children(job.id, now);
  if (!job.limit.empty()) limits_.at(job.limit).jobs.erase(job.id);
}

bool memory_store::remove(job_id id, std::optional<job_state> seen, moment now) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return false;
    stored_job& job = found->second;
    if (seen && job.state != *seen) return false;
    if (can(job.state, job_event::cancelled)) move(job, job_event::cancelled, now);
    if (!can(job.state, job_event::deleted)) return false;
    forget_details(job, now);
    const auto limit = limits_.find(job.limit);
    jobs_.erase(found);
    forget_key_of(id, now);
    if (limit != limits_.end() && is_unused(limit->second, now)) limits_.erase(limit);
  }
  bell_.ring();  // for those that waited for it
  return true;
}

std::size_t memory_store::purge(const purge_bounds& before, moment now, std::size_t limit) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto one = jobs_.begin(); one != jobs_.end() && count < limit;) {
      const stored_job& job = one->second;
      const moment kept_from = job.state == job_state::done ? before.done : before.given_up;
      const bool old = can(job.state, job_event::purged) && *job.finished < kept_from;
      if (old) forget_details(job, now);
      one = old ? jobs_.erase(one) : std::next(one);
      count += old ? 1 : 0;
    }
    forget_keys(std::max(before.done, before.given_up));
    forget_limits(now);
  }
  bell_.ring();
  return count;
}

}  // namespace weft::inline v1::jobs
