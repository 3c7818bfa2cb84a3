#include "dashboard/sampler.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/log/escape.hpp>

namespace weft::inline v1::dashboard {

namespace {

constexpr std::size_t measured_at_once = 40;

double millis(std::chrono::microseconds span) { return static_cast<double>(span.count()) / 1000.0; }

/// Of values that are sorted.
std::optional<double> at_percent(const std::vector<double>& sorted, std::size_t percent) {
  if (sorted.empty()) return std::nullopt;
  return sorted[((sorted.size() - 1) * percent + 50) / 100];
}

double per_second(std::int64_t before, std::int64_t after, std::chrono::duration<double> in) {
  if (after <= before || in.count() <= 0) return 0;  // fewer: some were deleted
  return static_cast<double>(after - before) / in.count();
}

}  // namespace

void sampler::measure_new(sample& into) {
  std::vector<double> waits;
  std::vector<double> runs;
  std::set<jobs::job_id> newest;
  for (const auto& one :
       store_.list({.queue = {}, .state = jobs::job_state::done, .before = {}, .limit = measured_at_once})) {
    newest.insert(one.id);
    if (measured_.contains(one.id)) continue;
    const auto found = store_.find(one.id);
    if (!found || found->past.empty()) continue;
    const auto& last = found->past.back();
    runs.push_back(std::max(0.0, millis(last.ended - last.started)));
    // One that had a moment of its own, or was tried again, says nothing about how long jobs wait.
    if (found->past.size() == 1) waits.push_back(std::max(0.0, millis(last.started - found->created)));
  }
  measured_ = std::move(newest);
  std::ranges::sort(waits);
  std::ranges::sort(runs);
  into.wait = at_percent(waits, 50);
  into.wait_longest = at_percent(waits, 95);
  into.run = at_percent(runs, 50);
  into.run_longest = at_percent(runs, 95);
}

sample sampler::made_of(const jobs::shown_stats& stats, jobs::moment now, steady_time at) {
  sample made;
  made.at = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  totals all;
  for (const auto& one : stats.queues) {
    made.ready += one.ready;
    made.scheduled += one.scheduled;
    made.blocked += one.blocked;
    made.running += one.running;
    all.done += one.done;
    all.failed += one.dead + one.quarantined;
  }
  if (before_) {
    made.done = per_second(before_->done, all.done, at - before_at_);
    made.failed = per_second(before_->failed, all.failed, at - before_at_);
  }
  before_ = all;
  before_at_ = at;
  return made;
}

void sampler::look() {
  overview seen;
  std::optional<sample> made;
  const jobs::moment now = clock_.now();
  seen.now = jobs::time_text(now);
  try {
    seen.stats = jobs::stats_of(store_);
    made = made_of(seen.stats, now, steady_clock::now());
    measure_new(*made);
  } catch (const error& failed) {
    seen.problem = log::to_utf8(failed.message());
  }
  const std::lock_guard lock(mutex_);
  if (seen.problem) seen.stats = newest_.stats;
  newest_ = std::move(seen);
  if (made) samples_.push_back(*made);
  if (samples_.size() > samples_max) samples_.pop_front();
  ++looks_;
  changed_.notify_all();
}

overview sampler::shown(std::int64_t samples_after) {
  const std::lock_guard lock(mutex_);
  overview made = newest_;
  for (const auto& one : samples_) {
    if (one.at > samples_after) made.samples.push_back(one);
  }
  return made;
}

std::uint64_t sampler::wait_newer(std::uint64_t seen, steady_time until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return looks_ != seen; });
  return looks_;
}

}  // namespace weft::inline v1::dashboard
