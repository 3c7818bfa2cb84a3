#pragma once

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <weft/core/spin_lock.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/idle_loops.hpp"
#include "fiber/monitor.hpp"
#include "fiber/scheduler.hpp"
#include "fiber/work_search.hpp"

namespace weft::inline v1::detail {

/// What the loops of one weft::run share.
///
/// Idle, end and deadlock. The loop that is the last one to lie down (idle_loops) decides, in order: no
/// fiber left: the run is over; a timer, a descriptor or somebody outside may wake a fiber: sleep; else it
/// is a deadlock. While all loops sleep no fiber runs, so nothing of what it looked at can change from
/// inside.
class runtime {
 public:
  /// Makes the loops, and the threads for all but the first. Throws weft::error.
  explicit runtime(run_options options);
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime();

  const run_options& options() const noexcept { return options_; }
  /// The loop of the calling thread.
  scheduler& first() noexcept { return *loops_.front(); }
  const std::vector<scheduler*>& loops() const noexcept { return loops_; }
  /// Runs all loops, the first one on the calling thread, until no fiber is left. Once.
  void run_loops();

  // Fibers.
  std::ptrdiff_t alive() const noexcept { return alive_.load(std::memory_order_relaxed); }
  /// Keeps the run on although no fiber is left, until let_go() was called as often or the run is
  /// ended. A loop's thread.
  void hold() noexcept { holds_.fetch_add(1, std::memory_order_relaxed); }
  void let_go() noexcept { holds_.fetch_sub(1, std::memory_order_relaxed); }
  void settle(std::ptrdiff_t delta) noexcept;
  /// Throws resource_exhausted at max_fibers. `unsettled`: of the asking loop.
  void count_one_more(std::ptrdiff_t unsettled);

  // Idle loops.
  bool over() const noexcept { return idle_.over(); }
  loop_rest lie_down(scheduler& loop);
  void get_up(scheduler& loop) noexcept { idle_.get_up(loop); }
  /// If `loop` sleeps, ends that. Any thread.
  void rouse(scheduler& loop) noexcept { idle_.rouse(loop); }

  // Sharing work.
  /// A fiber that others may take was added.
  void offer() noexcept { search_.offer(); }
  /// Looks for fibers that `loop` could run; bounded.
  bool find_work(scheduler& loop) noexcept { return search_.find_work(loop); }
  /// `loop` has work of its own: if it was roused to search, another one shall look.
  void pass_search_on(scheduler& loop) noexcept { search_.pass_on(loop); }

  run_statistics statistics() const noexcept;
  std::vector<fiber_info> list() const;
  monitor& watch() noexcept { return monitor_; }
  /// Held by the one survey that goes on.
  std::mutex survey_lock;

  // The end.
  /// Ends the run: cancels all fibers. The first reason holds. Any loop's thread.
  void end(std::exception_ptr why, cancel_reason reason) noexcept;
  bool ending() const noexcept { return ending_.load(std::memory_order_acquire); }
  std::exception_ptr end_reason() const noexcept { return end_reason_; }

 private:
  static constexpr steady_clock::duration look_again_min = std::chrono::seconds(1);
  static constexpr steady_clock::duration look_again_max = std::chrono::seconds(64);

  void serve_loop(std::size_t index) noexcept;
  loop_rest decide_all_idle(idle_loops<scheduler>::lock& idle_lock, scheduler& last);
  bool outside_may_wake() const noexcept;
  void warn_of_deadlock();
  loop_rest look_again_later() noexcept;
  void resolve_deadlock();
  [[noreturn]] void give_up_on_stuck_fibers(const char* why) noexcept;

  const run_options options_;
  std::vector<scheduler*> loops_;  // constant while fibers run
  std::unique_ptr<scheduler> first_;
  std::barrier<> in_step_;          // made, go, left
  std::exception_ptr start_error_;  // guarded by end_lock_ until all are made
  bool ran_ = false;                // the first loop's thread
  std::vector<started_thread> threads_;

  std::atomic<std::ptrdiff_t> holds_{0};
  std::atomic<std::ptrdiff_t> alive_{0};  // less what the loops have not settled
  std::atomic<std::size_t> alive_peak_{0};

  idle_loops<scheduler> idle_{loops_};
  work_search<scheduler> search_{loops_, idle_};
  steady_clock::duration look_again_ = look_again_min;  // the last idle loop's, under the lock of idle_
  std::uint64_t quiet_since_switches_ = 0;              // likewise
  bool warned_ = false;                                 // likewise; since then

  spin_lock end_lock_;
  std::atomic<bool> ending_{false};  // written under end_lock_
  std::exception_ptr end_reason_;    // written once, before ending_
  struct grace_timer : loop_timer {
    explicit grace_timer(runtime& of) noexcept;
    runtime& run;
  } grace_{*this};  // armed on the loop that ended the run
  monitor monitor_{*this};
};

}  // namespace weft::inline v1::detail
