#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/fiber/mutex.hpp>
#include <weft/jobs/store.hpp>

#include "jobs/upkeep.hpp"

namespace weft::inline v1::jobs {

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

  /// False where the last beat that the store has answered is so long ago that others may have taken this
  /// worker for dead: what it has claimed may be others' by now, until it has beaten again. One clock read.
  bool is_sure() const noexcept;
  /// How often the worker was taken for dead. What it asked for before that, it does not hold.
  std::uint64_t losses() const noexcept { return losses_; }

 private:
  void join();
  void run();
  void tick(bool beats) noexcept;

  store& store_;
  mutex beating_;    // held across a beat: else a second one that was refused ends attempts of the rejoined
  worker_row self_;  // constant but for `beat`, which is guarded by beating_
  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds lease_;  // how long others wait for a beat
  std::atomic<steady_time> sure_until_{};  // a lease from when the last answered beat was asked for
  std::atomic<std::uint64_t> losses_{0};
  const listener told_;
  upkeep upkeep_;  // the thread's after construction
  weft::detail::spin_lock lock_;
  weft::detail::waiter_line stopped_;  // guarded by lock_; the thread waits here between beats
  bool stopping_ = false;              // guarded by lock_
  weft::detail::started_thread thread_;
};

}  // namespace weft::inline v1::jobs
