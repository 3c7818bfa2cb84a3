#include "jobs/upkeep.hpp"

#include <algorithm>
#include <set>

#include <weft/log/log.hpp>

#include "jobs/host.hpp"
#include "jobs/longest_wait.hpp"
#include "jobs/worker_meters.hpp"

namespace weft::inline v1::jobs {
namespace {

constexpr std::size_t deleted_at_once = 500;
constexpr std::chrono::seconds deletion_interval{30};
constexpr int deletion_share = 10;

moment ended_before(moment now, const std::optional<std::chrono::microseconds>& age) {
  return age ? now - bounded_wait(*age) : moment::min();
}

}  // namespace

void upkeep::look() {
  if (!leads()) return;
  take_over_dead();
  delete_old();
}

/// False, too, where this worker was taken for dead: its next beat finds out.
bool upkeep::leads() {
  try {
    return leads_of_workers();
  } catch (const error& refused) {
    if (refused.code() != errc::not_found) throw;
    return false;
  }
}

bool upkeep::leads_of_workers() {
  worker_row leader = store_.lead(self_, std::nullopt);
  if (leader.id == self_) return true;
  const bool is_silent = silence_of(leader) > options_.beat_interval * std::max(options_.missed_max - 1, 1);
  if (!is_silent && !is_gone(leader)) {
    std::erase_if(seen_, [&](const auto& entry) { return entry.first != leader.id; });
    return false;
  }
  leader = store_.lead(self_, leader);
  if (leader.id != self_) return false;  // it has beaten since, or another worker was faster
  log::info("jobs: this worker leads now", {{"worker", to_string(self_)}});
  return true;
}

void upkeep::take_over_dead() {
  std::set<worker_id> present;
  for (const auto& other : store_.workers()) {
    if (other.id == self_) continue;
    if (!is_dead(other) || !rescue(other)) present.insert(other.id);
  }
  std::erase_if(seen_, [&](const auto& entry) { return !present.contains(entry.first); });
}

/// False: it lives, or another worker was faster.
bool upkeep::rescue(const worker_row& dead) {
  const auto count = store_.rescue(dead, clock_.now(), options_.crashes_max);
  if (!count) return false;
  count_lost_worker(*count);
  log::warn("jobs: a worker died, its jobs are ready again",
            {{"worker", to_string(dead.id)}, {"pid", dead.pid}, {"host", dead.host}, {"jobs", *count}});
  return true;
}

/// Some at a time, and only for a part of the time: the beats of this worker, and what others write, must not
/// wait for it.
void upkeep::delete_old() {
  const auto& keep = options_.retention;
  const auto began = steady_clock::now();
  if ((!keep.done && !keep.given_up) || began < next_deletion_) return;
  const moment now = clock_.now();
  const purge_bounds old(ended_before(now, keep.done), ended_before(now, keep.given_up));
  while (store_.purge(old, now, deleted_at_once) == deleted_at_once) {
    if (steady_clock::now() - began > options_.beat_interval / deletion_share) return;
  }
  next_deletion_ = began + deletion_interval;
}

/// For how long its beat has not changed, as far as this one has looked.
std::chrono::milliseconds upkeep::silence_of(const worker_row& other) {
  const auto now = steady_clock::now();
  auto& last = seen_[other.id];
  if (last.beat != other.beat) last = {other.beat, now};
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - last.changed);
}

/// Its process has ended, as only this host can tell.
bool upkeep::is_gone(const worker_row& other) const {
  return other.host == host_ && life_of_process(other.pid, other.pid_started) == process_life::ended;
}

bool upkeep::is_dead(const worker_row& other) {
  if (other.host == host_) {
    const auto life = life_of_process(other.pid, other.pid_started);
    if (life != process_life::unknown) return life == process_life::ended;
  }
  return silence_of(other) > options_.beat_interval * options_.missed_max;
}

}  // namespace weft::inline v1::jobs
