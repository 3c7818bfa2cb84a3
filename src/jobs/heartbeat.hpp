#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/jobs/store.hpp>

namespace weft::jobs {

struct heartbeat_options {
  std::chrono::milliseconds interval{2000};
  int missed_max = 5;   ///< beats that an owner may miss before it is taken for dead
  int crashes_max = 3;  ///< crashes of a job until it is quarantined
};

/// Keeps a worker's lease and takes over those of dead ones, on a thread of its own, so that a busy
/// worker does not lose its jobs.
///
/// An owner is dead when its beat has not changed for `missed_max` intervals of this thread's
/// monotonic clock, or at once when its process is gone from this host. Clocks of two machines are
/// never compared.
class heartbeat {
 public:
  /// Called on the heartbeat's thread, or by whoever calls beat().
  struct listener {
    std::function<void(const std::vector<job_id>&)> cancelled;  ///< jobs of ours that somebody wants to end
    std::function<void()> lost;  ///< we were taken for dead; our jobs are others'
  };

  /// Adds the worker to the store and looks for dead ones; then the thread goes on with that.
  heartbeat(store& kept_in, const clock& time, worker_row self, heartbeat_options options, listener told);
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;
  /// Ends the thread. The worker's row stays: remove_worker is the owner's.
  ~heartbeat();

  /// Beats now, in the caller's task, one after the other. A worker that was taken for dead hears of it once,
  /// and joins again. Throws weft::error if the store fails.
  void beat();

 private:
  struct sighting {
    std::int64_t beat = 0;
    steady_time changed{};
  };

  void run();
  void tick() noexcept;
  void sweep();
  bool is_dead(const worker_row& other);

  store& store_;
  const clock& clock_;
  mutex beating_;    // held across a beat: else a second one that was refused ends attempts of the rejoined
  worker_row self_;  // constant but for `beat`, which is guarded by beating_
  const heartbeat_options options_;
  const listener told_;
  std::map<worker_id, sighting> seen_;  // the thread's after construction
  weft::detail::spin_lock lock_;
  weft::detail::waiter_line stopped_;  // guarded by lock_; the thread waits here between beats
  bool stopping_ = false;              // guarded by lock_
  weft::detail::started_thread thread_;
};

}  // namespace weft::jobs
