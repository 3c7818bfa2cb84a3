#include <algorithm>

#include "jobs/due_schedules.hpp"
#include "jobs/memory_store.hpp"

namespace weft::inline v1::jobs {

void memory_store::put_schedule(const stored_schedule& schedule) {
  {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = schedules_.try_emplace(schedule.name, schedule);
    if (!is_new) {
      const stored_schedule former = std::exchange(known->second, schedule);
      known->second.paused = former.paused;
      if (former.timing == schedule.timing && former.last <= schedule.last + clock_put_back_min) {
        known->second.last = former.last;
        known->second.next = former.next;
      }
    }
  }
  bell_.ring();
}

bool memory_store::remove_schedule(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = schedules_.find(name);
  if (found == schedules_.end()) return false;
  schedules_.erase(found);
  return true;
}

bool memory_store::pause_schedule(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = schedules_.find(name);
  if (found == schedules_.end()) return false;
  found->second.paused = true;
  return true;
}

bool memory_store::resume_schedule(std::string_view name, moment last, moment next) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = schedules_.find(name);
    if (found == schedules_.end()) return false;
    if (std::exchange(found->second.paused, false)) {
      found->second.last = last;
      found->second.next = next;
    }
  }
  bell_.ring();
  return true;
}

std::vector<stored_schedule> memory_store::schedules() {
  const std::lock_guard lock(mutex_);
  std::vector<stored_schedule> all;
  for (const auto& [name, one] : schedules_) all.push_back(one);
  return all;
}

void memory_store::find_due_schedules(const claim_request& request, claim_result& result) const {
  auto& due = result.schedules;
  for (const auto& [name, one] : schedules_) {
    const bool is_ours =
        std::find(request.queues.begin(), request.queues.end(), one.queue) != request.queues.end();
    if (one.paused || !is_ours) continue;
    if (one.next > request.now) {
      result.next_fire = std::min(result.next_fire.value_or(one.next), one.next);
    } else if (!request.wants_schedule || request.wants_schedule(one)) {
      due.push_back(one);
    }
  }
  keep_longest_due(request, result);
}

bool memory_store::fire(const schedule_fire& fire) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = schedules_.find(fire.name);
    if (found == schedules_.end()) return false;
    stored_schedule& row = found->second;
    if (row.paused || row.next != fire.seen || row.envelope != fire.envelope) return false;
    insert(fire.jobs);
    row.last = fire.last;
    row.next = fire.next;
  }
  bell_.ring();
  return true;
}

}  // namespace weft::inline v1::jobs
