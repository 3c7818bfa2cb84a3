#include "testing/drain.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/executor/executor.hpp>
#include <weft/log/collector.hpp>

namespace weft::jobs {
namespace {

bool waits(job_state state) {
  return state == job_state::scheduled || state == job_state::ready || state == job_state::blocked;
}

}  // namespace

drain::drain(queue& from, services& app, worker_options options, std::size_t attempts_max)
    : queue_(from),
      app_(app),
      options_(std::move(options)),
      attempts_max_(attempts_max),
      in_place_(app),
      runner_(options_.workers != nullptr ? *options_.workers : in_place_, from.kept_in(), attempts_max,
              [this](const std::string& closure) {
                too_many_of_ = closure;
                worker_->stop();
              }) {
  options_.workers = &runner_;
  options_.place = run_place::workers;
  options_.place_of_queue.clear();
  options_.weighted.clear();
  if (!options_.pool) options_.pool = inline_executor();
  for (const auto& job : jobs()) claims_before_[job.id] = job.fence;
}

std::vector<stored_job> drain::jobs() const {
  list_filter all;
  all.limit = std::numeric_limits<std::size_t>::max();
  return queue_.kept_in().list(all);
}

std::vector<std::string> drain::queues() const {
  std::set<std::string> names{queue_.name()};
  for (const auto& one : queue_.stats()) names.insert(one.queue);
  for (const auto& one : queue_.schedules()) names.insert(one.queue);
  return {names.begin(), names.end()};
}

void drain::join_queues() {
  auto names = queues();
  if (worker_ && names == options_.queues) return;
  options_.queues = std::move(names);
  worker_.reset();
  const log::collector unheard({.pass_on = false});  // what the program's other closures lack
  worker_.emplace(queue_, app_, options_);
}

void drain::run_due() {
  do {
    join_queues();
    worker_->run_due();
    if (too_many_of_) {
      throw error(errc::resource_exhausted,
                  "jobs: drain a test's queue: " + std::to_string(attempts_max_) +
                      " attempts were run, and there are more; the last one was of " + *too_many_of_);
    }
  } while (queues() != options_.queues);  // a job has pushed to a queue that was not there
}

std::optional<moment> drain::next_due() {
  join_queues();
  claim_request look;
  look.owner = worker_->id();
  look.queues = options_.queues;
  look.count = 0;
  look.now = queue_.clock().now();
  const claim_result found = queue_.kept_in().claim(look);
  std::optional<moment> first;
  for (const auto& one : {found.next_due, found.next_fire}) {
    if (one && *one > look.now) first = std::min(first.value_or(*one), *one);
  }
  return first;
}

drain_report drain::report() {
  using place = std::tuple<moment, std::size_t, std::int64_t>;
  std::vector<std::pair<place, ran_attempt>> ran;
  for (const auto& job : jobs()) {
    const auto known = claims_before_.find(job.id);
    const std::int64_t before = known == claims_before_.end() ? 0 : known->second;
    if (job.fence == before) continue;
    const auto shown = queue_.show(job.id);
    if (!shown) continue;
    for (const auto& one : shown->past) {
      if (one.claim <= before) continue;
      const bool is_last = &one == &shown->past.back();
      ran.push_back({{one.started, runner_.place_of(job.id, one.claim), one.claim},
                     {job.id, shown->closure, one.attempt, one.outcome, !is_last || waits(shown->state),
                      shown->state, one.started, one.error}});
    }
  }
  std::sort(ran.begin(), ran.end(), [](const auto& left, const auto& right) {
    return std::tie(left.first, left.second.job) < std::tie(right.first, right.second.job);
  });
  drain_report made;
  for (auto& [where, one] : ran) made.attempts.push_back(std::move(one));
  return made;
}

}  // namespace weft::jobs
