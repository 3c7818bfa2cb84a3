#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include <weft/context/wait.hpp>

#include "jobs/memory_store.hpp"

namespace weft::inline v1::jobs {

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
    if (filter.state ? job.state != *filter.state : filter.without_done && job.state == job_state::done)
      continue;
    if (!filter.tag.empty() && !std::binary_search(job.tags.begin(), job.tags.end(), filter.tag)) continue;
    all.push_back(job);
    all.back().past.clear();
    all.back().progress.reset();
    all.back().result.reset();
    all.back().limit.clear();
    all.back().waits_for.clear();
  }
  return all;
}

std::vector<queue_stats> memory_store::stats() {
  const std::lock_guard lock(mutex_);
  std::map<std::string, queue_stats> by_queue;
  for (const auto& [id, job] : jobs_) {
    auto& of = by_queue[job.queue];
    of.queue = job.queue;
    ++count_of(of, job.state);
  }
  for (const auto& name : paused_) {
    by_queue[name].queue = name;
    by_queue[name].paused = true;
  }
  std::vector<queue_stats> all;
  for (auto& [name, of] : by_queue) all.push_back(of);
  return all;
}

std::vector<oldest_ready> memory_store::find_oldest_ready(moment now) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, moment> oldest;
  for (const auto& [id, job] : jobs_) {
    const bool is_due = job.state == job_state::scheduled && job.run_at <= now;
    if (job.state != job_state::ready && !is_due) continue;
    const auto at = oldest.try_emplace(job.queue, job.run_at).first;
    at->second = std::min(at->second, job.run_at);
  }
  std::vector<oldest_ready> all;
  for (const auto& [queue, since] : oldest) all.push_back({queue, since});
  return all;
}

state_counts memory_store::count_tagged(std::string_view tag) {
  const std::lock_guard lock(mutex_);
  state_counts counts;
  for (const auto& [id, job] : jobs_) {
    if (std::binary_search(job.tags.begin(), job.tags.end(), tag)) ++count_of(counts, job.state);
  }
  return counts;
}

std::vector<std::string> memory_store::tags(std::string_view start, std::string_view before,
                                            std::size_t limit) {
  const std::lock_guard lock(mutex_);
  std::set<std::string_view, std::greater<>> found;
  for (const auto& [id, job] : jobs_) {
    for (const std::string_view tag : job.tags) {
      if (tag.starts_with(start) && (before.empty() || tag < before)) found.insert(tag);
    }
  }
  std::vector<std::string> all;
  for (const auto tag : found) {
    if (all.size() == limit) break;
    all.emplace_back(tag);
  }
  return all;
}

std::int64_t memory_store::count_unroutable(const std::function<bool(std::string_view handler)>& routable) {
  const no_wait_scope no_wait("the choice of jobs to count");
  const std::lock_guard lock(mutex_);
  return std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return is_waiting(entry.second.state) && !routable(entry.second.handler);
  });
}

}  // namespace weft::inline v1::jobs
