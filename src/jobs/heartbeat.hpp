#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/upkeep.hpp"

namespace weft::jobs {

/// Keeps a worker's lease, and does its part of the upkeep, on a thread of its own, so that a busy worker
/// does not lose its jobs.
class heartbeat {
 public:
  /// Called on the heartbeat's thread, or by whoever calls beat().
  struct listener {
    std::function<void(const std::vector<job_id>&)> cancelled;  ///< jobs of ours that somebody wants to end
    std::function<void()> lost;  ///< we were taken for dead; our jobs are others'
  };

  /// Adds the worker to the store and does its part of the upkeep; then the thread goes on with that.
  heartbeat(store& kept_in, const clock& time, worker_row self, const upkeep_options& options, listener told);
  heartbeat(const heartbeat&) = delete;
  heartbeat& operator=(const heartbeat&) = delete;
  /// Ends the thread. The worker's row stays: remove_worker is the owner's.
  ~heartbeat();

  /// Beats now, in the caller's task, one after the other. A worker that was taken for dead hears of it once,
  /// and joins again. Throws weft::error if the store fails.
  void beat();

 private:
  void run();
  void tick(bool beats) noexcept;

  store& store_;
  mutex beating_;    // held across a beat: else a second one that was refused ends attempts of the rejoined
  worker_row self_;  // constant but for `beat`, which is guarded by beating_
  const std::chrono::milliseconds interval_;
  const listener told_;
  upkeep upkeep_;  // the thread's after construction
  weft::detail::spin_lock lock_;
  weft::detail::waiter_line stopped_;  // guarded by lock_; the thread waits here between beats
  bool stopping_ = false;              // guarded by lock_
  weft::detail::started_thread thread_;
};

}  // namespace weft::jobs
