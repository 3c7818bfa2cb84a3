#pragma once

#include <unistd.h>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <weft/core/safepoint.hpp>
#include <weft/core/timer_wheel.hpp>
#include <weft/executor/running_place.hpp>
#include <weft/fiber/fiber_block.hpp>
#include <weft/fiber/loop_timer.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/cell_pool.hpp"
#include "fiber/debug_layout.hpp"
#include "fiber/fiber_line.hpp"
#include "fiber/idle_loops.hpp"
#include "fiber/loop_meter.hpp"
#include "fiber/overflow.hpp"
#include "fiber/poller.hpp"
#include "fiber/posted_calls.hpp"
#include "fiber/remote_wakes.hpp"
#include "fiber/stack.hpp"
#include "fiber/stack_pools.hpp"
#include "fiber/survey_desk.hpp"

namespace weft::inline v1::detail {

class inspection;
class loop_executor;
class runtime;
class simulation_world;

/// What a component keeps for each loop. Ends with the loop, on its thread, when no fiber is left.
class loop_service {
 public:
  virtual ~loop_service() = default;
};

/// The loop of one thread of a run: fibers in line, timers, the poller, and the stacks they run on.
///
/// Fibers switch to one another directly; the loop, on the thread's own stack, gets its turn when
/// nothing is ready or after a number of switches, so that timers and sockets are not starved.
///
/// Who runs next. Two lines: ready_ has fibers that have started, unstarted_ those that have not and
/// may be taken by other loops. Each fiber in line has a turn, a number; the smaller front goes
/// first, so both lines together are one, first come, first served. Two things jump it: a fiber that is
/// joined before it has started, with the siblings behind it, and the joiner of one that ends (tell_end),
/// within a budget for each turn of the loop; the joiner goes behind the siblings that are next in line, so
/// that a batch runs on one stack without a switch. So a tree of fibers is walked depth first, on few stacks
/// that are warm.
///
/// What belongs to whom. Everything belongs to the home thread but: unstarted_ (its own lock), the list of
/// the living (alive_lock_), remote_wakes_, calls_, idle_, and counters that others may read.
///
/// Waking from another thread: push on remote_wakes_, then, if the loop sleeps, end that and ring the
/// poller's bell (idle_loops). A target that is awake costs no system call.
class scheduler {
 public:
  scheduler(runtime& of, std::size_t index);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler();

  /// The running thread's scheduler; null outside a run.
  static scheduler* current() noexcept;

  /// Runs until no fiber of the run is left.
  void loop();

  /// Puts a new fiber at the end of the line. `here_only`: no other loop may take it.
  void add(fiber_block& fiber, bool here_only = false);
  /// Runs a new fiber at once until its first wait; the caller goes on then.
  void add_and_run(fiber_block& fiber);
  /// Makes a parked fiber ready; any thread.
  void wake(fiber_block& fiber) noexcept;
  /// Gives up the running fiber's turn; it comes back when it is made ready.
  void suspend() noexcept;
  /// Puts the running fiber at the end of the line and gives up its turn.
  void yield_turn() noexcept;
  /// The same, and lets the loop look at timers and descriptors before anyone.
  void yield_to_loop() noexcept;
  /// Whom `tell` wakes on this loop was waiting for the end of a child of `parent_id`, and runs next, or
  /// once the siblings have run that are next in line.
  template <typename Tell>
  void tell_end(std::uint64_t parent_id, Tell&& tell) noexcept {
    parent_of_ended_ = parent_id;
    tell();
    parent_of_ended_.reset();
  }
  /// Moves an unstarted fiber of this loop to the front of the line, and the siblings behind it with it: its
  /// joiner is about to wait.
  void hurry(fiber_block& fiber) noexcept;

  /// Has `call` called on the loop's stack, at its next turn; it must neither wait nor throw. Any
  /// thread, while the run goes on.
  void post(unique_function<void()> call);

  void arm(loop_timer& timer, steady_time due) noexcept;
  void disarm(loop_timer& timer) noexcept;
  steady_time time_of(std::uint64_t tick) const noexcept { return epoch_ + std::chrono::milliseconds(tick); }
  /// The timers of after() and every(), made when the first one is armed. Home thread.
  std::unique_ptr<loop_service> user_timers;

  /// In a forked child: nothing is resumed any more, so the loop gets control and ends the process.
  void stop_switching() noexcept { turns_left_ = 0; }

  runtime& of() const noexcept { return runtime_; }
  std::size_t index() const noexcept { return index_; }
  const run_options& options() const noexcept;
  const stack_record* running_stack() const noexcept { return running()->stack_; }
  fiber_block* running() const noexcept { return running_.load(std::memory_order_relaxed); }
  bool is_simulated() const noexcept { return simulation_ != nullptr; }
  bool is_home() const noexcept { return current() == this; }
  /// Throws weft::error (unsupported) in a simulation.
  poller& io();
  const stack_pools& stacks() const noexcept { return stacks_; }
  cell_pool& cells() noexcept { return cells_; }
  /// Has an exception been thrown here that is not caught yet?
  bool exception_in_flight() const noexcept { return live_exceptions_.uncaught != 0; }
  /// The running fiber's turn is over at its next safepoint. Any thread.
  void mark_turn_due() noexcept { turn_due_.store(true, std::memory_order_relaxed); }
  pid_t thread_id() const noexcept { return thread_id_; }
  survey_desk& desk() noexcept { return desk_; }
  /// Time of the loop's last turn; cheap.
  steady_time now() const noexcept { return now_; }
  const std::shared_ptr<loop_executor>& as_executor() const noexcept { return executor_; }
  /// As loop_at_rest(). On its thread.
  steady_time at_rest() noexcept;

  // For the other loops, and for whoever watches.
  using line = fiber_line;
  /// Grows with every switch. Any thread.
  std::uint64_t switches() const noexcept { return switches_.load(std::memory_order_relaxed); }
  unstarted_line& unstarted() noexcept { return unstarted_; }
  bool sleeps() const noexcept { return idle_.sleeps(); }
  /// May a timer or a descriptor wake this loop? While it sleeps.
  bool wakes_itself() const noexcept { return timers_.size() > timers_apart_ || poller_.waiting() > 0; }
  idle_state& idle() noexcept { return idle_; }
  bool has_remote_wakes() const noexcept { return remote_wakes_.any() || calls_.any(); }
  bool has_ready() const noexcept { return !ready_.empty() || unstarted_.size() > 0; }
  void ring() noexcept { poller_.ring(); }
  std::vector<std::uint64_t>& seen_switches() noexcept { return seen_switches_; }
  /// Adds fibers taken from another loop to the end of the line.
  void adopt(fiber_line& stolen) noexcept;
  /// Calls `see(fiber_block&)` for each fiber that is alive, under the lock that keeps it so. Any thread.
  template <typename See>
  void for_each_alive(See&& see) const {
    const std::lock_guard lock(alive_lock_);
    for (fiber_block* fiber = alive_; fiber != nullptr; fiber = fiber->next_alive_) see(*fiber);
  }
  fiber_info describe(const fiber_block& fiber) const;
  /// Adds this loop's figures: exact on its own thread, else some of them are a millisecond old. Any thread.
  void add_to(run_statistics& sum) noexcept;
  /// A timer that does not count as something that could wake a fiber.
  void arm_apart(loop_timer& timer, steady_time due) noexcept;
  /// Hands the number of fibers born less those that have ended here to the runtime.
  void settle_alive() noexcept;

 private:
  friend struct debug_layout;
  friend class inspection;
  friend class shown_to_debuggers;
  friend class survey;
  static void* run_stack(void* self) noexcept;
  void enroll(fiber_block& fiber);
  void execute(fiber_block& fiber) noexcept;
  void remove(fiber_block& fiber) noexcept;
  fiber_block* next_in_line() noexcept;
  fiber_block* next_simulated() noexcept;
  fiber_block* next_ready() noexcept;
  void push_ready(fiber_block& fiber) noexcept;
  bool bind_stack(fiber_block& fiber) noexcept;
  void set_running(fiber_block* fiber) noexcept;
  struct landing {
    stack_record& stack;
    bool is_new;
  };
  landing land(fiber_block* next) noexcept;
  void switch_to(stack_record& from, fiber_block* next) noexcept;
  void run_ready() noexcept;
  void take_remote_wakes() noexcept;
  void fire_timers() noexcept;
  void poll_if_due() noexcept;
  void sleep();
  std::uint64_t tick_of(steady_time time) const noexcept;
  std::int64_t front_turn() noexcept;
  void begin_turn() noexcept;
  void copy_figures() noexcept;

  runtime& runtime_;
  const std::size_t index_;
  simulation_world* const simulation_;  // null in a real run
  const steady_time epoch_ = steady_clock::now();
  exception_state& live_exceptions_;
  std::atomic<bool>& turn_due_ = turn_due;  // the home thread's
  const pid_t thread_id_ = gettid();
  scheduler* next_shown_ = nullptr;
  shown_to_debuggers shown_{*this};
  int& errno_;  // the thread's: what a fiber does must not change it for another one
  steady_time now_ = epoch_;
  steady_time polled_ = epoch_;
  steady_time sleeps_since_ = no_deadline;  // no_deadline: it works
  long blocked_ = 0;                        // how often this thread was, when it was last asked
  steady_time at_rest_ = epoch_;
  steady_time maybe_rest_ = epoch_;             // the last sleep that was long enough
  std::atomic<fiber_block*> running_{nullptr};  // written by the home thread
  std::atomic<std::uint64_t> switches_{0};      // written by the home thread
  inspection* inspection_ = nullptr;
  survey_desk desk_;
  fiber_line ready_;
  std::int64_t last_turn_ = 0;
  std::int64_t first_turn_ = 0;
  int turns_left_ = 0;
  int jumps_left_ = 0;
  std::optional<std::uint64_t> parent_of_ended_;  // while the end is told
  std::atomic<std::ptrdiff_t> alive_delta_{0};    // not yet told to the runtime; written by the home thread
  unstarted_line unstarted_;
  timer_wheel timers_;
  std::size_t timers_apart_ = 0;
  stack_record loop_stack_;
  stack_pools stacks_;
  loop_meter meter_;
  cell_pool cells_;
  overflow_watch overflow_watch_;
  poller poller_;
  std::atomic<std::uint64_t> started_{0};  // written by the home thread
  std::atomic<std::uint64_t> ended_{0};    // written by the home thread
  std::atomic<std::uint64_t> stolen_{0};   // written by the home thread
  std::atomic<std::uint64_t> steals_{0};   // written by the home thread
  mutable spin_lock alive_lock_;
  fiber_block* alive_ = nullptr;  // guarded by alive_lock_
  remote_wakes<fiber_block> remote_wakes_;
  posted_calls calls_;
  idle_state idle_;
  const std::shared_ptr<loop_executor> executor_;
  running_place place_;                       // of all fibers of this loop
  std::vector<std::uint64_t> seen_switches_;  // of each loop, when this one last began to look for work
};

/// The running thread's scheduler. A started fiber stays on its thread, so the address may be kept
/// across a switch.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local scheduler* current_scheduler;

inline scheduler* scheduler::current() noexcept { return current_scheduler; }

}  // namespace weft::inline v1::detail
