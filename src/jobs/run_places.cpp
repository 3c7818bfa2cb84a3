#include "jobs/run_places.hpp"

#include <algorithm>

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::jobs {
namespace {

void refuse(const std::string& why) { throw error(errc::invalid_argument, "jobs: start a worker: " + why); }

void check_place(const worker_options& options, run_place place, const std::string& whose) {
  if (place != run_place::workers || options.workers != nullptr) return;
  refuse(whose +
         " are to run in worker processes, and it has none; set worker_options::workers to a "
         "workers::worker_runner");
}

bool serves(const worker_options& options, const std::string& queue) {
  const auto is_it = [&](const weighted_queue& one) { return one.name == queue; };
  return std::find(options.queues.begin(), options.queues.end(), queue) != options.queues.end() ||
         std::any_of(options.weighted.begin(), options.weighted.end(), is_it);
}

bool is_known(const std::string& name) {
  const auto all = closure_registry::list();
  return std::any_of(all.begin(), all.end(), [&](const closure_info& one) { return one.name == name; });
}

void check_unsigned(const worker_options& options) {
  for (const auto& [queue, names] : options.unsigned_jobs) {
    if (!serves(options, queue)) refuse("unsigned_jobs has \"" + queue + "\", which is none of its queues");
    for (const auto& name : names) {
      if (name.empty() || !is_known(name))
        refuse("unsigned_jobs has the closure \"" + name + "\", which this program does not have");
    }
  }
}

}  // namespace

run_places::run_places(services& app, const worker_options& options)
    : app_(app), options_(options), in_place_(app) {
  check_place(options, options.place, "its jobs");
  for (const auto& [queue, place] : options.place_of_queue) {
    check_place(options, place, "jobs of the queue \"" + queue + '"');
    if (!serves(options, queue)) {
      refuse("place_of_queue has \"" + queue + "\", which is none of its queues");
    }
  }
  check_unsigned(options);
}

bool run_places::can_run(std::string_view identity) {
  const auto own = own_place(identity);
  return own && (*own != run_place::workers || options_.workers != nullptr);
}

run_place run_places::of(std::string_view identity, std::string_view queue) {
  const auto own = own_place(identity);
  return own && *own != run_place::unsaid ? *own : of_queue(queue);
}

run_place run_places::of_queue(std::string_view queue) const {
  const auto found = options_.place_of_queue.find(queue);
  const bool is_said = found != options_.place_of_queue.end() && found->second != run_place::unsaid;
  return is_said ? found->second : options_.place;
}

closure_runner& run_places::at(run_place place) {
  if (place == run_place::workers) return *options_.workers;
  if (place == run_place::pool) return on_pool();
  return in_place_;
}

closure_runner& run_places::on_pool() {
  const std::lock_guard lock(mutex_);
  if (!on_pool_) {
    if (!options_.pool) own_pool_.emplace(thread_pool_options::cached(options_.concurrency, "jobs"));
    on_pool_.emplace(app_, options_.pool ? *options_.pool : executor(*own_pool_));
  }
  return *on_pool_;
}

std::optional<run_place> run_places::own_place(std::string_view identity) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(identity); known != known_.end()) return known->second;
  }
  const auto found = closure_registry::find(identity);
  const auto place = found ? std::optional(found->runs_in) : std::nullopt;
  const std::lock_guard lock(mutex_);
  return known_.emplace(identity, place).first->second;
}

void run_places::warn_of_missing() const {
  const auto is_here = [this](const std::string& queue) { return of_queue(queue) != run_place::workers; };
  const auto is_weighted_here = [&](const weighted_queue& one) { return is_here(one.name); };
  const bool unsaid_run_here =
      std::any_of(options_.queues.begin(), options_.queues.end(), is_here) ||
      std::any_of(options_.weighted.begin(), options_.weighted.end(), is_weighted_here);
  const auto runs_here = [&](const closure_info& one) {
    if (one.name.starts_with("weft."))
      return false;  // weft's own is for workers that allow it (allow_commands)
    return one.runs_in == run_place::unsaid ? unsaid_run_here : one.runs_in != run_place::workers;
  };
  const services task(app_, service_scope::per_task);
  for (const auto& problem : closure_registry::missing(task, runs_here)) {
    log::warn("jobs: a closure of this program cannot run in this worker", {{"problem", problem}});
  }
  if (options_.workers != nullptr) return;
  for (const auto& one : closure_registry::list()) {
    if (one.runs_in != run_place::workers) continue;
    log::warn(
        "jobs: a closure of this program runs in worker processes, and this worker has none; "
        "its jobs are left to others",
        {{"closure", one.name.empty() ? one.place.text() : one.name}});
  }
}

}  // namespace weft::inline v1::jobs
