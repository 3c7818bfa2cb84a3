#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <weft/jobs/store.hpp>
#include <weft/metrics/registry.hpp>

namespace weft::inline v1::jobs {

/// What a worker counts of its attempts in the default registry, by queue. A map is constant once it is in
/// use, and is kept while this lives, so that counting takes no lock. Any thread or fiber.
class worker_meters {
 public:
  /// Of one queue.
  struct of_queue {
    metrics::histogram wait;  ///< seconds from the moment it was pushed for to the first attempt's begin
    metrics::histogram run;   ///< seconds
    metrics::histogram failed_age;             ///< seconds
    std::array<metrics::counter, 6> attempts;  ///< by attempt_outcome
    metrics::counter retries;
    std::array<metrics::counter, 3> given_up;  ///< dead, cancelled, quarantined

    /// An attempt has ended so, and that is stored.
    void count(attempt_outcome outcome, next_step next) const noexcept;
  };

  /// Throws weft::error as metrics::registry.
  explicit worker_meters(const std::vector<std::string>& queues);

  /// Further queues; those that are there already stay. Throws as the constructor; nothing is added then.
  void add(const std::vector<std::string>& queues);

  /// Empty handles for a queue that was not named.
  const of_queue& in(const std::string& queue) const noexcept;

 private:
  using map = std::map<std::string, of_queue>;

  std::mutex mutex_;
  std::vector<std::unique_ptr<const map>> maps_;  // guarded by mutex_; the last one is in use
  std::atomic<const map*> in_use_ = nullptr;
  of_queue none_;
};

/// What the upkeep found: a worker that was taken for dead, and what it held.
void count_lost_worker(std::size_t jobs);

}  // namespace weft::inline v1::jobs
