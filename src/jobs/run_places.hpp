#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <weft/closure/run_place.hpp>
#include <weft/closure/runner.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/jobs/worker.hpp>

#include "jobs/pool_runner.hpp"

namespace weft::inline v1::jobs {

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
  closure_runner& at(run_place place);

  /// A warning for each closure of the program that cannot run here as a service lacks, or its place.
  void warn_of_missing() const;

 private:
  /// What the closure says; nothing: this program does not have it.
  std::optional<run_place> own_place(std::string_view identity);
  run_place of_queue(std::string_view queue) const;
  closure_runner& on_pool();

  services& app_;
  const worker_options& options_;
  in_place_runner in_place_;
  std::mutex mutex_;
  std::map<std::string, std::optional<run_place>, std::less<>> known_;  // guarded by mutex_
  std::optional<thread_pool> own_pool_;  // guarded by mutex_ until it is made; before on_pool_, which uses it
  std::optional<pool_runner> on_pool_;   // guarded by mutex_ until it is made
};

}  // namespace weft::inline v1::jobs
