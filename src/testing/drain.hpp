#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <weft/closure/runner.hpp>
#include <weft/closure/services.hpp>
#include <weft/jobs/queue.hpp>
#include <weft/jobs/worker.hpp>
#include <weft/testing/drain_report.hpp>

#include "testing/run_record.hpp"

namespace weft::inline v1::jobs {

/// One drain of a test_kit: a worker for all queues of the store, and what it has run. On a fiber.
class drain {
 public:
  drain(queue& from, services& app, worker_options options, std::size_t attempts_max);

  /// Runs what is due at the clock's moment, until nothing is. Throws weft::error (resource_exhausted) above
  /// `attempts_max`.
  void run_due();
  /// When something falls due that is not due now.
  std::optional<moment> next_due();
  /// What was run since the drain was made.
  drain_report report();

 private:
  worker_options options_for(std::vector<std::string> queues);
  void join_queues();
  std::vector<std::string> queues() const;
  std::vector<stored_job> jobs() const;

  queue& queue_;
  services& app_;
  const worker_options options_;
  const std::size_t attempts_max_;
  in_place_runner in_place_;
  run_record ran_;
  std::map<job_id, std::int64_t> claims_before_;
  std::vector<std::string> served_;  // by worker_
  std::optional<worker> worker_;
};

}  // namespace weft::inline v1::jobs
