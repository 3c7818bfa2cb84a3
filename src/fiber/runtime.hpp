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

#include "fiber/monitor.hpp"
#include "fiber/scheduler.hpp"

namespace weft::detail {

/// What the loops of one weft::run share.
///
/// Idle, end and deadlock. A loop that has nothing to do sets its sleeping flag and raises idle_,
/// both under idle_lock_, and only if nothing came meanwhile; whoever wakes it takes both back under
/// the same lock and then rings. So "all loops sleep" is exact: the loop that is the last one to lie
/// down decides, in order: no fiber left: the run is over; a timer, a descriptor or somebody outside
/// may wake a fiber: sleep; else it is a deadlock. While all loops sleep no fiber runs, so nothing
/// of what it looked at can change from inside.
///
/// Sharing work. Only fibers that have not started move. A loop that adds one while another loop
/// sleeps rouses one sleeper to look for work, unless one is looking already (searching_). A searcher
/// takes half of what another loop has in line; where only one fiber waits there, its own loop is
/// about to run it, so it is taken only if that loop has not switched for a while. A searcher that
/// finds nothing clears searching_ first and then looks once more: either it sees the new fiber, or
/// who added it sees that nobody searches. Looking is bounded (spin_max), then it sleeps.
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
  bool over() const noexcept { return over_.load(std::memory_order_acquire); }
  /// What a loop that wants to sleep is told: may it, and until when at most.
  struct rest {
    bool allowed = false;
    steady_time until = no_deadline;
  };
  rest lie_down(scheduler& loop);
  void get_up(scheduler& loop) noexcept;
  /// If `loop` sleeps, ends that. Any thread.
  void rouse(scheduler& loop) noexcept;

  // Sharing work.
  /// A fiber that others may take was added.
  void offer() noexcept;
  /// Looks for fibers that `loop` could run; bounded.
  bool find_work(scheduler& loop) noexcept;
  /// `loop` has work: if it was roused to search, somebody else may be.
  void pass_search_on(scheduler& loop) noexcept;
  /// Does another loop have a fiber that waits to be started?
  bool others_have_work(const scheduler& loop) const noexcept;

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
  bool steal_for(scheduler& thief, bool lonely_too) noexcept;
  rest decide_all_idle(std::unique_lock<spin_lock>& idle_lock, scheduler& last);
  bool outside_may_wake() const noexcept;
  void wake_up(scheduler& loop) noexcept;
  void warn_of_deadlock();
  rest look_again_later() noexcept;
  void resolve_deadlock();
  [[noreturn]] void give_up_on_stuck_fibers(const char* why) noexcept;

  const run_options options_;
  std::vector<scheduler*> loops_;  // constant while fibers run
  std::unique_ptr<scheduler> first_;
  std::barrier<> in_step_;          // made, go, left
  std::exception_ptr start_error_;  // guarded by idle_lock_ until all are made
  bool ran_ = false;                // the first loop's thread
  std::vector<started_thread> threads_;

  std::atomic<std::ptrdiff_t> holds_{0};
  std::atomic<std::ptrdiff_t> alive_{0};  // less what the loops have not settled
  std::atomic<std::size_t> alive_peak_{0};

  spin_lock idle_lock_;
  std::atomic<std::size_t> idle_{0};                    // written under idle_lock_
  steady_clock::duration look_again_ = look_again_min;  // guarded by idle_lock_
  std::uint64_t quiet_since_switches_ = 0;              // guarded by idle_lock_
  bool warned_ = false;                                 // guarded by idle_lock_; since then
  std::atomic<bool> over_{false};                       // written under idle_lock_
  std::atomic<bool> searching_{false};

  spin_lock end_lock_;
  std::atomic<bool> ending_{false};  // written under end_lock_
  std::exception_ptr end_reason_;    // written once, before ending_
  struct grace_timer : loop_timer {
    explicit grace_timer(runtime& of) noexcept;
    runtime& run;
  } grace_{*this};  // armed on the loop that ended the run
  monitor monitor_{*this};
};

}  // namespace weft::detail
