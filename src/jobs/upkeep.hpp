#pragma once

#include <chrono>
#include <map>
#include <string>

#include <weft/jobs/store.hpp>

namespace weft::inline v1::jobs {

struct upkeep_options {
  std::chrono::milliseconds beat_interval{2000};  ///< of all workers
  int missed_max = 5;   ///< beats that an owner may miss before it is taken for dead
  int crashes_max = 3;  ///< crashes of a job until it is quarantined
  job_retention retention = {};
};

/// What one worker does for all of a store, as long as it leads: looks for dead workers, and deletes what has
/// ended long ago. The others look at the one that leads only, so what this costs does not grow with the
/// square of their number. Two that lead for a while, as one was stopped, do no harm.
///
/// A worker is dead when its beat has not changed for `missed_max` intervals of this thread's monotonic
/// clock, or at once when its process is gone from this host, where it may be silent for as long as it is
/// there and is shown. Clocks of two machines are never compared. One
/// that leads is followed an interval earlier, which costs it nothing if it lives.
///
/// One thread.
class upkeep {
 public:
  upkeep(store& kept_in, const clock& time, worker_id self, std::string host, upkeep_options options)
      : store_(kept_in), clock_(time), self_(self), host_(std::move(host)), options_(options) {}

  /// Looks who leads, and does what is to be done if it is this one. Throws weft::error if the store fails.
  void look();

 private:
  struct sighting {
    std::int64_t beat = 0;
    steady_time changed{};
  };

  bool leads();
  bool leads_of_workers();
  void take_over_dead();
  bool rescue(const worker_row& dead);
  void delete_old();
  std::chrono::milliseconds silence_of(const worker_row& other);
  bool is_gone(const worker_row& other) const;
  bool is_dead(const worker_row& other);

  store& store_;
  const clock& clock_;
  const worker_id self_;
  const std::string host_;
  const upkeep_options options_;
  std::map<worker_id, sighting> seen_;
  steady_time next_deletion_{};
};

}  // namespace weft::inline v1::jobs
