#include "jobs/queue_shares.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr int weight_max = 1000;
constexpr std::int64_t pass_of_weight_1 = 1'000'000;

}  // namespace

queue_shares::queue_shares(const std::vector<weighted_queue>& queues) {
  std::set<std::string> names;
  for (const auto& one : queues) {
    if (one.weight < 1 || one.weight > weight_max || !names.insert(one.name).second) {
      throw error(errc::invalid_argument, "jobs: make a worker: the queue \"" + one.name +
                                              "\" needs a weight of 1 to " + std::to_string(weight_max) +
                                              ", and may be named once");
    }
    shares_.push_back({one.name, pass_of_weight_1 / one.weight});
  }
}

std::vector<std::string> queue_shares::order() const {
  std::vector<std::string> names;
  for (const auto& one : shares_) names.push_back(one.name);
  return names;
}

void queue_shares::count(const std::vector<claimed_job>& claimed, std::size_t count, bool more_at_once) {
  if (shares_.empty()) return;
  const bool filled = claimed.size() >= count;
  if (!filled && !more_at_once) {  // all are empty by now: nobody is owed anything
    for (auto& one : shares_) one.pass = 0;
    return;
  }
  // A full claim was filled by the last queue that gave jobs; those before it are empty. Of one that was cut
  // short nobody knows.
  const auto gave = [&](const share& one) {
    return std::count_if(claimed.begin(), claimed.end(),
                         [&](const auto& job) { return job.queue == one.name; });
  };
  std::vector<std::int64_t> jobs;
  std::transform(shares_.begin(), shares_.end(), std::back_inserter(jobs), gave);
  const auto last = std::find_if(jobs.rbegin(), jobs.rend(), [](std::int64_t number) { return number > 0; });
  if (last == jobs.rend()) return;  // others than these filled it
  const auto filled_by = static_cast<std::size_t>(jobs.rend() - last) - 1;
  const std::int64_t now = shares_[filled_by].pass;
  for (std::size_t index = 0; index < shares_.size(); ++index) {
    share& one = shares_[index];
    one.pass += jobs[index] * one.stride;
    if (filled && index < filled_by) one.pass = std::max(one.pass, now);
  }
  std::stable_sort(shares_.begin(), shares_.end(),
                   [](const share& left, const share& right) { return left.pass < right.pass; });
  const std::int64_t lowest = shares_.front().pass;
  for (auto& one : shares_) one.pass -= lowest;
}

}  // namespace weft::inline v1::jobs
