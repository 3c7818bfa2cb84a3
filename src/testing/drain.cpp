#include "testing/drain.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/executor/executor.hpp>
#include <weft/fiber/simulate.hpp>
#include <weft/log/collector.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr std::chrono::milliseconds heartbeat_where_time_jumps = std::chrono::hours(1);

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
      ran_(from.kept_in(), attempts_max) {
  for (const auto& job : jobs()) claims_before_[job.id] = job.fence;
}

/// Everything runs on the fiber of its attempt, where the test does not say another place.
worker_options drain::options_for(std::vector<std::string> queues) {
  worker_options made = options_;
  made.weighted.clear();
  std::erase_if(made.place_of_queue, [&](const auto& one) {
    return std::find(queues.begin(), queues.end(), one.first) == queues.end();  // not there yet
  });
  // Days pass there, and nobody else is to see that it lives.
  if (simulation::active()) made.heartbeat = std::max(made.heartbeat, heartbeat_where_time_jumps);
  made.queues = std::move(queues);
  if (made.workers == nullptr) made.workers = &in_place_;
  if (!made.pool) made.pool = inline_executor();
  made.around = [this](closure_runner& place, const closure_request& request) {
    if (!ran_.add(request)) worker_->stop();
    return options_.around ? options_.around(place, request) : place.run(request);
  };
  return made;
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
  if (worker_ && names == served_) return;
  served_ = std::move(names);
  worker_.reset();
  const log::collector unheard({.pass_on = false});  // what the program's other closures lack
  worker_.emplace(queue_, app_, options_for(served_));
}

void drain::run_due() {
  ran_.count_anew();
  do {
    join_queues();
    worker_->run_due();
    if (const auto closure = ran_.too_many_of()) {
      throw error(errc::resource_exhausted,
                  "jobs: drain a test's queue: " + std::to_string(attempts_max_) +
                      " attempts were run at one moment, and there are more; the last one was of " +
                      *closure);
    }
  } while (queues() != served_);  // a job has pushed to a queue that was not there
}

std::optional<moment> drain::next_due() {
  join_queues();
  claim_request look;
  look.owner = worker_->id();
  look.queues = served_;
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
      ran.push_back({{one.started, ran_.place_of(job.id, one.claim), one.claim},
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

}  // namespace weft::inline v1::jobs
