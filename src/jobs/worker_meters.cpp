#include "jobs/worker_meters.hpp"

#include <utility>

namespace weft::inline v1::jobs {
namespace {

/// From what a short job takes to what a long one waits: 1 ms to a day.
const std::vector<double>& bounds() {
  static const std::vector<double> all{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.2,  0.5,    1,     2, 5,
                                       10,    20,    60,    120,  300,  600,  1800, 3600, 14'400, 86'400};
  return all;
}
const std::vector<double>& ages() {
  static const std::vector<double> all{1, 10, 60, 300, 1800, 3600, 21600, 86400, 604800};
  return all;
}

/// The families, in the registry of the process.
struct families {
  metrics::registry& to = metrics::default_registry();
  metrics::family<metrics::histogram> wait = to.get_histograms(
      {.name = "weft_jobs_wait_seconds",
       .help = "From the moment that a job was pushed for to the begin of its first attempt",
       .unit = "seconds",
       .labels = {"queue"}},
      bounds());
  metrics::family<metrics::histogram> run = to.get_histograms({.name = "weft_jobs_run_seconds",
                                                               .help = "How long attempts ran",
                                                               .unit = "seconds",
                                                               .labels = {"queue"}},
                                                              bounds());
  metrics::family<metrics::histogram> failed_age = to.get_histograms(
      {.name = "weft_jobs_failed_age_seconds",
       .help = "Age of jobs at attempts that failed, from the moment that they were pushed for",
       .unit = "seconds",
       .labels = {"queue"}},
      ages());
  metrics::family<metrics::counter> attempts = to.get_counters({.name = "weft_jobs_attempts_total",
                                                                .help = "Attempts that ended, by how",
                                                                .labels = {"queue", "outcome"}});
  metrics::family<metrics::counter> retries =
      to.get_counters({.name = "weft_jobs_retries_total",
                       .help = "Attempts behind which the job waits for another one",
                       .labels = {"queue"}});
  metrics::family<metrics::counter> given_up =
      to.get_counters({.name = "weft_jobs_given_up_total",
                       .help = "Jobs that an attempt left dead, cancelled or quarantined",
                       .labels = {"queue", "state"}});
};

/// What the upkeep finds. Shown from the first worker on, so that 0 is not taken for nothing known.
struct lost_counters {
  metrics::registry& to = metrics::default_registry();
  metrics::counter workers = to.get_counter(
      {.name = "weft_jobs_workers_lost_total", .help = "Workers that this process found dead"});
  metrics::counter leases =
      to.get_counter({.name = "weft_jobs_leases_expired_total",
                      .help = "Jobs that dead workers held, and that this process put back"});
};
const lost_counters& lost() {
  static const lost_counters all;
  return all;
}

worker_meters::of_queue make(const families& from, std::string_view queue) {
  worker_meters::of_queue made;
  made.wait = from.wait.with({queue});
  made.run = from.run.with({queue});
  made.failed_age = from.failed_age.with({queue});
  for (std::size_t each = 0; each < made.attempts.size(); ++each) {
    made.attempts[each] = from.attempts.with({queue, to_string(static_cast<attempt_outcome>(each))});
  }
  made.retries = from.retries.with({queue});
  made.given_up = {from.given_up.with({queue, "dead"}), from.given_up.with({queue, "cancelled"}),
                   from.given_up.with({queue, "quarantined"})};
  return made;
}

}  // namespace

void worker_meters::of_queue::count(attempt_outcome outcome, next_step next) const noexcept {
  if (next == next_step::released) return;  // as if there had been none
  attempts[static_cast<std::size_t>(outcome)].add();
  switch (next) {
    case next_step::again:
      return retries.add();
    case next_step::dead:
      return given_up[0].add();
    case next_step::cancelled:
      return given_up[1].add();
    case next_step::quarantined:
      return given_up[2].add();
    case next_step::done:
    case next_step::released:
      break;
  }
}

worker_meters::worker_meters(const std::vector<std::string>& queues) {
  (void)lost();
  add(queues);
}

void worker_meters::add(const std::vector<std::string>& queues) {
  const families all;
  const std::lock_guard lock(mutex_);
  auto next = maps_.empty() ? std::make_unique<map>() : std::make_unique<map>(*maps_.back());
  const std::size_t before = next->size();
  for (const std::string& name : queues) {
    if (!next->contains(name)) next->emplace(name, make(all, name));
  }
  if (!maps_.empty() && next->size() == before) return;
  maps_.push_back(std::move(next));
  in_use_.store(maps_.back().get(), std::memory_order_release);
}

const worker_meters::of_queue& worker_meters::in(const std::string& queue) const noexcept {
  const map& queues = *in_use_.load(std::memory_order_acquire);
  const auto found = queues.find(queue);
  return found == queues.end() ? none_ : found->second;
}

void count_lost_worker(std::size_t jobs) {
  lost().workers.add();
  lost().leases.add(jobs);
}

}  // namespace weft::inline v1::jobs
