#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/jobs/store.hpp>
#include <weft/jobs/worker.hpp>

namespace weft::inline v1::jobs {

/// In which order a worker looks at its weighted queues: stride scheduling. Each has a pass, the work that it
/// got divided by its weight, and the lowest pass comes first. A queue that was empty does not save its share
/// up: its pass is raised to that of the queue which got its turn.
///
/// One thread.
class queue_shares {
 public:
  /// Throws weft::error (invalid_argument) for weights out of bounds, and names that are there twice.
  explicit queue_shares(const std::vector<weighted_queue>& queues);

  /// All queues, in the order for the next claim.
  std::vector<std::string> order() const;
  /// What a claim in that order, which wanted `count` jobs, came to. `more_at_once`: where it got fewer, it
  /// was cut short, and its queues may have others.
  void count(const std::vector<claimed_job>& claimed, std::size_t count, bool more_at_once);

 private:
  struct share {
    std::string name;
    std::int64_t stride = 0;  ///< what one job adds to the pass
    std::int64_t pass = 0;
  };
  std::vector<share> shares_;  ///< by pass
};

}  // namespace weft::inline v1::jobs
