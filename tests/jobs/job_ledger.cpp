#include "jobs/job_ledger.hpp"

#include <algorithm>
#include <limits>

namespace weft::jobs {
namespace {

bool is_over(job_state state) {
  return state == job_state::done || state == job_state::dead || state == job_state::cancelled ||
         state == job_state::quarantined;
}

}  // namespace

void job_ledger::expect(bool holds, job_id id, const std::string& rule) {
  if (!holds) broken_.push_back("job " + to_string(id) + ": " + rule);
}

std::size_t job_ledger::acknowledged_count() const {
  return static_cast<std::size_t>(
      std::count_if(jobs_.begin(), jobs_.end(), [](const auto& one) { return one.second.acknowledged; }));
}

void job_ledger::pushed(const new_job& job) {
  note("pushed " + to_string(job.id));
  if (job.unique) {
    for (const auto& [id, one] : jobs_) {
      const bool has_key = one.job.unique && one.job.unique->key == job.unique->key && !one.ended;
      expect(!has_key, job.id, "has the unique key of " + to_string(id) + ", which has not ended");
    }
  }
  expect(jobs_.emplace(job.id, entry{job}).second, job.id, "was kept twice");
}

void job_ledger::check_limit(const entry& of, job_id id, moment now) {
  if (!of.job.limit) return;
  const limit_options& limit = *of.job.limit;
  const auto running = std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& one) {
    return one.second.held && one.second.job.limit && one.second.job.limit->key == limit.key;
  });
  expect(running <= limit.max, id, "runs beside too many of its limit");
  if (limit.rate.count == 0) return;
  auto& begun = begun_[limit.key];
  begun.emplace_back(now, id);
  const int burst = limit.rate.burst > 0 ? limit.rate.burst : limit.rate.count;
  std::sort(begun.begin(), begun.end());
  bool is_within = true;
  for (std::size_t from = 0; from < begun.size(); ++from) {
    for (std::size_t to = from; to < begun.size(); ++to) {
      const auto tokens =
          burst + (begun[to].first - begun[from].first) * limit.rate.count / limit.rate.period;
      is_within = is_within && static_cast<std::int64_t>(to - from + 1) <= tokens;
    }
  }
  expect(is_within, id, "began above the rate of its limit");
}

void job_ledger::check_dependencies(const entry& of, job_id id, store& kept_in) {
  for (const auto& one : of.job.after) {
    const auto other = kept_in.find(one.on);
    const bool may_begin =
        other && (other->state == job_state::done || (one.even_if_given_up && is_over(other->state)));
    expect(may_begin, id, "began before " + to_string(one.on) + ", for which it was to wait");
  }
}

void job_ledger::claimed(const claimed_job& job, const claim_request& asked, moment now, store& kept_in) {
  ++claims_;
  note("claimed " + to_string(job.id) + " by " + to_string(asked.owner) + " as " + std::to_string(job.fence));
  const auto found = jobs_.find(job.id);
  if (found == jobs_.end()) return expect(false, job.id, "was claimed, and nobody pushed it");
  entry& one = found->second;
  expect(!one.ended, job.id, "was claimed after a recorded end");
  expect(!one.held, job.id, "was claimed while another had it");
  expect(job.fence > one.fence, job.id, "was claimed with a number that is not above the last one");
  expect(one.job.run_at <= now, job.id, "was claimed before its moment");
  one.fence = job.fence;
  one.held.emplace(asked.owner, job.fence);
  check_limit(one, job.id, asked.now);
  check_dependencies(one, job.id, kept_in);
}

void job_ledger::finished(const attempt_end& end, bool held) {
  note("finished " + to_string(end.id) + " as " + std::to_string(end.fence) +
       (held ? " with " + std::to_string(static_cast<int>(end.next)) : " too late"));
  entry& one = jobs_.at(end.id);
  const bool is_holder = one.held && *one.held == std::pair(end.owner, end.fence);
  expect(is_holder == held, end.id,
         held ? "was ended by one who did not have it" : "was refused the end by who had it");
  stale_ += held ? 0U : 1U;
  if (!held) return;
  one.held.reset();
  if (end.next == next_step::released && one.job.limit)
    std::erase_if(begun_[one.job.limit->key], [&](const auto& begun) { return begun.second == end.id; });
  if (end.next == next_step::again || end.next == next_step::released) return;
  expect(!one.ended, end.id, "has ended twice");
  one.ended = true;
  one.done = end.next == next_step::done;
}

bool job_ledger::has_ended(job_id id) const {
  const auto found = jobs_.find(id);
  return found != jobs_.end() && found->second.ended;
}

void job_ledger::given_back(worker_id owner, bool was_lost) {
  note(to_string(owner) + (was_lost ? " was taken for dead" : " left"));
  for (auto& [id, one] : jobs_) {
    if (!one.held || one.held->first != owner) continue;
    one.held.reset();
    lost_ += was_lost ? 1U : 0U;
    if (!was_lost && one.job.limit)
      std::erase_if(begun_[one.job.limit->key], [&](const auto& begun) { return begun.second == id; });
  }
}

void job_ledger::compare_with(store& kept_in) {
  list_filter all;
  all.limit = std::numeric_limits<std::size_t>::max();
  std::map<job_id, job_state> kept;
  for (const auto& one : kept_in.list(all)) kept.emplace(one.id, one.state);
  for (const auto& [id, state] : kept) {
    note(to_string(id) + " is " + std::string(to_string(state)));
    expect(jobs_.contains(id), id, "is there, and nobody pushed it");
  }
  for (const auto& [id, one] : jobs_) {
    const auto found = kept.find(id);
    expect(found != kept.end(), id, one.acknowledged ? "was acknowledged, and is lost" : "is lost");
    if (found == kept.end()) continue;
    expect(is_over(found->second), id, "has not ended: " + std::string(to_string(found->second)));
    expect(one.done == (found->second == job_state::done), id,
           one.done ? "was done, and is " + std::string(to_string(found->second))
                    : "is done, and nobody did it");
  }
}

}  // namespace weft::jobs
