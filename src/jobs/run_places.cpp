#include "jobs/run_places.hpp"

#include <algorithm>
#include <utility>

#include <weft/closure/registry.hpp>
#include <weft/core/error.hpp>
#include <weft/log/log.hpp>

namespace weft::inline v1::jobs {
namespace {

constexpr const char* start = "start";
constexpr const char* change = "change";

void refuse(const char* act, const std::string& why) {
  throw error(errc::invalid_argument, std::string("jobs: ") + act + " a worker: " + why);
}

void check_place(const char* act, const worker_options& options, run_place place, const std::string& whose) {
  if (place != run_place::workers || options.workers != nullptr) return;
  refuse(act, whose +
                  " are to run in worker processes, and it has none; set worker_options::workers to a "
                  "workers::worker_runner");
}

bool has(const std::vector<std::string>& served, const std::string& queue) {
  return std::find(served.begin(), served.end(), queue) != served.end();
}

bool is_known(const std::string& name) {
  const auto all = closure_registry::list();
  return std::any_of(all.begin(), all.end(), [&](const closure_info& one) { return one.name == name; });
}

void check_places(const char* act, const worker_options& options, const places_of_queues& of,
                  const std::vector<std::string>& served) {
  for (const auto& [queue, place] : of) {
    check_place(act, options, place, "jobs of the queue \"" + queue + '"');
    if (!has(served, queue)) {
      refuse(act, "place_of_queue has \"" + queue + "\", which is none of its queues");
    }
  }
}

/// A pool of the worker's own. It ends, and waits for its threads, when the last attempt on it has.
class own_pool final : public closure_runner {
 public:
  own_pool(services& app, std::size_t threads_max)
      : threads_(thread_pool_options::cached(threads_max, "jobs")), on_(app, threads_) {}
  closure_outcome run(const closure_request& request) override { return on_.run(request); }
  std::string_view name() const noexcept override { return on_.name(); }

 private:
  thread_pool threads_;
  pool_runner on_;
};

/// One that outlives whoever holds it.
std::shared_ptr<closure_runner> lasting(closure_runner& one) {
  return {std::shared_ptr<closure_runner>(), &one};
}

}  // namespace

std::vector<std::string> queues_of(const worker_options& options, const std::vector<std::string>& queues) {
  std::vector<std::string> all = queues;
  for (const weighted_queue& one : options.weighted) all.push_back(one.name);
  return all;
}

void check_unsigned(const unsigned_closures& of, const std::vector<std::string>& served, const char* act) {
  for (const auto& [queue, names] : of) {
    if (!has(served, queue)) {
      refuse(act, "unsigned_jobs has \"" + queue + "\", which is none of its queues");
    }
    for (const auto& name : names) {
      if (name.empty() || !is_known(name))
        refuse(act, "unsigned_jobs has the closure \"" + name + "\", which this program does not have");
    }
  }
}

run_places::run_places(services& app, const worker_options& options)
    : app_(app),
      options_(options),
      in_place_(app),
      of_queues_(options.place_of_queue),
      concurrency_(options.concurrency) {
  const auto served = queues_of(options, options.queues);
  check_place(start, options, options.place, "its jobs");
  check_places(start, options, options.place_of_queue, served);
  check_unsigned(options.unsigned_jobs, served, start);
}

void run_places::check(const places_of_queues& to, const std::vector<std::string>& served) const {
  check_places(change, options_, to, served);
}

void run_places::set_queues(const places_of_queues& to, const std::vector<std::string>& served) {
  const std::lock_guard lock(mutex_);
  of_queues_ = said_of_queues(to, of_queues_, served);
}

std::shared_ptr<closure_runner> run_places::set_concurrency(std::size_t to) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(concurrency_, to) == to || options_.pool) return nullptr;
  return std::exchange(on_pool_, nullptr);
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
  const std::lock_guard lock(mutex_);
  const auto found = of_queues_.find(queue);
  const bool is_said = found != of_queues_.end() && found->second != run_place::unsaid;
  return is_said ? found->second : options_.place;
}

std::shared_ptr<closure_runner> run_places::at(run_place place) {
  if (place == run_place::workers) return lasting(*options_.workers);
  if (place == run_place::pool) return on_pool();
  return lasting(in_place_);
}

std::shared_ptr<closure_runner> run_places::on_pool() {
  const std::lock_guard lock(mutex_);
  if (on_pool_ == nullptr) {
    if (options_.pool) {
      on_pool_ = std::make_shared<pool_runner>(app_, *options_.pool);
    } else {
      on_pool_ = std::make_shared<own_pool>(app_, concurrency_);
    }
  }
  return on_pool_;
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
