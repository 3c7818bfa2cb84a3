#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include <weft/core/error.hpp>

#include "jobs/memory_store.hpp"

// Jobs that wait for others, and for room within their limit.

namespace weft::inline v1::jobs {

void memory_store::check_pushes(std::span<const new_job> jobs, std::optional<job_id> ending) const {
  std::set<job_id> kept;
  std::set<std::string> keys;
  const auto is_there = [&](job_id id) { return jobs_.contains(id) || kept.contains(id); };
  for (const auto& job : jobs) {
    if (job.unique && (keys.contains(job.unique->key) || holder_of(*job.unique, job.created, ending)))
      continue;
    if (is_there(job.id))
      throw error(errc::already_exists, "jobs: push a job: the id " + to_string(job.id) + " is taken");
    for (const auto& one : job.after) {
      if (is_there(one.on)) continue;
      throw error(errc::not_found, "jobs: push a job: it waits for job " + to_string(one.on) +
                                       ", which is not there (any more)");
    }
    if (job.before) {
      const auto waits = jobs_.find(*job.before);
      if (waits == jobs_.end() || waits->second.waits_for.empty()) throw_waits_no_more(*job.before);
    }
    kept.insert(job.id);
    if (job.unique) keys.insert(job.unique->key);
  }
}

void memory_store::add_dependencies(stored_job& job, const new_job& from) {
  for (const auto& one : from.after) {
    const job_state state = jobs_.at(one.on).state;
    if (is_ended(state) && (one.even_if_given_up || state == job_state::done)) continue;
    if (std::find(job.waits_for.begin(), job.waits_for.end(), one.on) != job.waits_for.end()) continue;
    children_[one.on].push_back({job.id, one.even_if_given_up});
    job.waits_for.push_back(one.on);
  }
  std::sort(job.waits_for.begin(), job.waits_for.end());
}

void memory_store::add_dependent(const new_job& from) {
  if (!from.before) return;
  children_[from.id].push_back({*from.before, true});
  auto& waits_for = jobs_.at(*from.before).waits_for;
  waits_for.push_back(from.id);
  std::sort(waits_for.begin(), waits_for.end());
}

void memory_store::release_children(const stored_job& parent, moment now) {
  for (const job_id other : std::exchange(jobs_.at(parent.id).waits_for, {})) {
    std::erase_if(children_[other], [&](const dependent& one) { return one.child == parent.id; });
  }
  const auto waiting = children_.find(parent.id);
  if (waiting == children_.end()) return;
  std::vector<job_id> released;
  std::erase_if(waiting->second, [&](const dependent& one) {
    if (!one.even_if_given_up && parent.state != job_state::done) return false;
    released.push_back(one.child);
    return true;
  });
  if (waiting->second.empty()) children_.erase(waiting);
  std::sort(released.begin(), released.end());
  for (const job_id id : released) {
    stored_job& child = jobs_.at(id);
    std::erase(child.waits_for, parent.id);
    if (child.waits_for.empty())
      move(child, child.run_at > now ? job_event::unblocked_ahead : job_event::unblocked, now);
  }
}

void memory_store::cancel_children(job_id parent, moment now) {
  const auto found = children_.find(parent);
  if (found == children_.end()) return;
  for (const auto& one : std::exchange(found->second, {})) {
    move(jobs_.at(one.child), job_event::cancelled, now);
  }
  children_.erase(parent);
}

void memory_store::change_limit(const limit_options& limit, moment now) {
  limit_state& known = limits_[limit.key];
  known.max = limit.max;
  known.tokens.set_rate(limit.rate, now);
  top_up(limit.key, now);
}

void memory_store::limit_push(const limit_options& limit, moment now) {
  const auto known = limits_.find(limit.key);
  if (known == limits_.end() || !known->second.pinned) return change_limit(limit, now);
  top_up(limit.key, now);
}

void memory_store::set_limit(const limit_options& limit, bool pinned, moment now) {
  {
    const std::lock_guard lock(mutex_);
    change_limit(limit, now);
    limits_.at(limit.key).pinned = pinned;
  }
  bell_.ring();
}

std::vector<stored_limit> memory_store::limits(std::string_view after, std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<stored_limit> all;
  for (auto one = limits_.upper_bound(after); one != limits_.end() && all.size() < count; ++one) {
    const auto& [key, of] = *one;
    stored_limit& made = all.emplace_back();
    made.is = {key, of.max, of.tokens.rate()};
    made.pinned = of.pinned;
    made.running = of.max - places_in(of);
    made.held_back = std::ranges::count_if(of.jobs, [this](job_id id) {
      const stored_job& job = jobs_.at(id);
      return job.state == job_state::blocked && job.waits_for.empty();
    });
    made.held_back = std::min(made.held_back, limit_waits_counted_max);
  }
  return all;
}

bool memory_store::release_limit(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = limits_.find(key);
  return found != limits_.end() && std::exchange(found->second.pinned, false);
}

std::int64_t memory_store::places_in(const limit_state& limit) const {
  return limit.max - std::ranges::count_if(
                         limit.jobs, [this](job_id id) { return jobs_.at(id).state == job_state::running; });
}

std::int64_t memory_store::room_of(const limit_state& limit, moment now) const {
  return std::min(places_in(limit), limit.tokens.tokens(now));
}

// As in sqlite/limits.cpp: while there is room for so many, so many of each queue and closure are ready.
void memory_store::top_up(const std::string& limit, moment now) {
  limit_state& of_limit = limits_.at(limit);
  of_limit.tokens.settle(now);
  const std::int64_t room = room_of(of_limit, now);
  struct group {
    std::int64_t ready = 0;
    std::vector<stored_job*> blocked;
  };
  std::map<std::pair<std::string, std::string>, group> groups;
  for (const job_id id : of_limit.jobs) {
    stored_job& job = jobs_.at(id);
    group& of = groups[{job.queue, job.handler}];
    if (job.state == job_state::ready) ++of.ready;
    if (job.state == job_state::blocked && job.waits_for.empty()) of.blocked.push_back(&job);
  }
  for (auto& [name, of] : groups) {
    std::stable_sort(
        of.blocked.begin(), of.blocked.end(), [](const stored_job* left, const stored_job* right) {
          return std::tie(left->priority, left->run_at) < std::tie(right->priority, right->run_at);
        });
    for (stored_job* const job : of.blocked) {
      if (of.ready >= room) break;
      move(*job, job_event::unblocked, now);
      ++of.ready;
    }
  }
  const bool waits = std::any_of(groups.begin(), groups.end(), [](const auto& entry) {
    const auto& blocked = entry.second.blocked;
    return std::any_of(blocked.begin(), blocked.end(),
                       [](const stored_job* job) { return job->state == job_state::blocked; });
  });
  of_limit.wake_at.reset();
  if (waits && places_in(of_limit) > 0 && of_limit.tokens.tokens(now) == 0)
    of_limit.wake_at = of_limit.tokens.next();
}

}  // namespace weft::inline v1::jobs
