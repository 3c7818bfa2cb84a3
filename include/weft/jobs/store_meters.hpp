#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include <weft/jobs/queue.hpp>
#include <weft/metrics/registry.hpp>

namespace weft::inline v1::jobs {

/// How a store is looked at for its figures.
struct store_meters_options {
  std::chrono::milliseconds interval{10'000};  ///< between two looks
  std::chrono::milliseconds timeout{5'000};    ///< of a look; one that takes longer is given up
  /// Queues that are shown by their names, the first ones that were seen; all others together are "(other)".
  std::size_t queues_max = 100;
  metrics::registry* to = nullptr;  ///< outlives it; null: metrics::default_registry()
};

/// Figures of a store: what waits, for how long, and who works it off. A fiber looks at the store now and
/// then, and a snapshot of the metrics gives what it saw last, so that collecting them never waits for a
/// database:
///  - weft_jobs_queue_depth by queue and state, weft_jobs_oldest_ready_age_seconds and
///    weft_jobs_queue_paused by queue, weft_jobs_workers;
///  - weft_jobs_sample_age_seconds: for how long no look has succeeded, and
///    weft_jobs_sample_errors_total.
///
/// A look costs as much as there are queues and kinds of jobs, not jobs. Figures of the store are the same in
/// every process that looks: one, as `weft work`, is enough. What a worker does itself it counts without
/// this.
///
///     weft::jobs::store_meters figures{queue};
///
/// Thread-safety: made and ended by one fiber. Lifetime: inside one weft::run; the queue outlives it. One for
/// each store and registry: the figures of two would be added up.
class store_meters {
 public:
  /// Begins to look; never waits. Throws weft::error as metrics::registry.
  explicit store_meters(queue& of, store_meters_options options = {});
  store_meters(const store_meters&) = delete;
  store_meters& operator=(const store_meters&) = delete;
  /// Ends it. Waits for a look that the store has begun.
  ~store_meters();

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace weft::inline v1::jobs
