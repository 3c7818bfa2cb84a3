#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/closure/run_place.hpp>
#include <weft/closure/runner.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/pool_runner.hpp"
#include "jobs/unsigned_job.hpp"

namespace weft::inline v1::jobs {

/// All queues that a worker serves.
std::vector<std::string> queues_of(const worker_options& options, const std::vector<std::string>& queues);

/// Throws weft::error (invalid_argument), which begins with `act`, unless the queues are served and the
/// program has the closures.
void check_unsigned(const unsigned_closures& of, const std::vector<std::string>& served, const char* act);

/// `to`, for the queues that are served; for others what was said of them before.
template <typename Map>
Map said_of_queues(Map to, const Map& before, const std::vector<std::string>& served) {
  for (const auto& [queue, what] : before) {
    if (std::find(served.begin(), served.end(), queue) == served.end()) to.try_emplace(queue, what);
  }
  return to;
}

using places_of_queues = std::map<std::string, run_place, std::less<>>;

/// Where the attempts of one worker run: which closures can run there, each in which place. Thread-safe.
class run_places {
 public:
  /// Both outlive this. Throws weft::error (invalid_argument): jobs are to run in worker processes, and there
  /// are none; or a queue has a place and is not served.
  run_places(services& app, const worker_options& options);

  /// Is the closure of this program, and is there a place for it?
  bool can_run(std::string_view identity);
  /// The place for the jobs of a closure in a queue.
  run_place of(std::string_view identity, std::string_view queue);
  /// The runner there, for as long as it is held.
  std::shared_ptr<closure_runner> at(run_place place);

  /// Throws weft::error (invalid_argument) as the constructor, of a change.
  void check(const places_of_queues& to, const std::vector<std::string>& served) const;
  /// Other places for the queues that are served; `to` was checked.
  void set_queues(const places_of_queues& to, const std::vector<std::string>& served);
  /// How many attempts there may be at a time: as many threads has the worker's own pool. Gives the former
  /// pool, whose end may wait for its threads.
  [[nodiscard]] std::shared_ptr<closure_runner> set_concurrency(std::size_t to);

  /// A warning for each closure of the program that cannot run here as a service lacks, or its place.
  void warn_of_missing() const;

 private:
  /// What the closure says; nothing: this program does not have it.
  std::optional<run_place> own_place(std::string_view identity);
  run_place of_queue(std::string_view queue) const;
  std::shared_ptr<closure_runner> on_pool();

  services& app_;
  const worker_options& options_;
  in_place_runner in_place_;
  mutable std::mutex mutex_;
  std::map<std::string, std::optional<run_place>, std::less<>> known_;  // guarded by mutex_
  places_of_queues of_queues_;                                          // guarded by mutex_
  std::size_t concurrency_;                                             // guarded by mutex_
  std::shared_ptr<closure_runner> on_pool_;  // guarded by mutex_; null until it is needed, and after a change
};

}  // namespace weft::inline v1::jobs
