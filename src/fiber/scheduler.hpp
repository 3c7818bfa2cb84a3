#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <string>

#include <weft/core/timer_wheel.hpp>
#include <weft/fiber/fiber_block.hpp>
#include <weft/fiber/run.hpp>

#include "fiber/overflow.hpp"
#include "fiber/poller.hpp"
#include "fiber/stack.hpp"

namespace weft::detail {

class inspection;

/// A timer of a loop: `fire` is called on the loop's own stack, where nothing may wait.
struct loop_timer : timer_node {
  explicit loop_timer(void (*when_due)(loop_timer&) noexcept) noexcept : fire(when_due) {}
  void (*fire)(loop_timer& self) noexcept;
};

/// The loop of one thread: ready fibers, timers, the poller, and the stacks they run on.
///
/// Fibers switch to one another directly; the loop, on the thread's own stack, gets its turn when
/// nothing is ready or after a number of switches, so that timers and sockets are not starved.
/// Everything belongs to the home thread but remote_wakes_ and sleeping_.
///
/// Waking from another thread: push on remote_wakes_ (a stack, newest first), then, if sleeping_ was
/// set, clear it and ring the poller's bell. The loop sets sleeping_ before it looks at
/// remote_wakes_ for the last time and only then sleeps: either it sees the fiber, or the waker sees
/// sleeping_.
class scheduler {
 public:
  explicit scheduler(run_options options);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler();

  /// The running thread's scheduler; null outside a run.
  static scheduler* current() noexcept;

  /// Runs until no fiber is left.
  void loop();

  void add(fiber_block& fiber);
  void add_and_run(fiber_block& fiber);
  /// Makes a parked fiber ready; any thread.
  void wake(fiber_block& fiber) noexcept;
  /// Gives up the running fiber's turn; it comes back when it is made ready.
  void suspend() noexcept;
  /// Puts the running fiber at the end of the line and gives up its turn.
  void yield_turn() noexcept;
  /// Moves an unstarted fiber of this thread to the front of the line: its joiner is about to wait.
  void hurry(fiber_block& fiber) noexcept;

  void arm(loop_timer& timer, steady_time due) noexcept;
  void disarm(loop_timer& timer) noexcept;

  /// Ends the run: cancels all fibers. The first reason holds.
  void end_run(std::exception_ptr why) noexcept;
  std::exception_ptr end_reason() const noexcept { return end_reason_; }

  fiber_block* running() const noexcept { return running_; }
  const stack_record* running_stack() const noexcept { return running_->stack_; }
  bool is_stack_guard(const void* address) const noexcept { return stacks_.is_guard(address); }
  poller& io() noexcept { return poller_; }
  const run_options& options() const noexcept { return options_; }
  run_statistics statistics() const noexcept;
  /// Calls `look` with each fiber of this loop; it must not make or end one.
  template <typename Look>
  void for_each_alive(Look&& look) const {
    for (fiber_block* one = alive_; one != nullptr; one = one->next_alive_) look(*one);
  }
  void* allocate(std::size_t bytes);
  bool deallocate(void* memory, std::size_t bytes) noexcept;
  bool is_home() const noexcept { return current() == this; }

 private:
  friend class inspection;
  friend class survey;
  static void run_stack(void* self) noexcept;
  void execute(fiber_block& fiber) noexcept;
  void remove(fiber_block& fiber) noexcept;
  fiber_block* next_ready() noexcept;
  void push_ready(fiber_block& fiber) noexcept;
  void push_front(fiber_block& fiber) noexcept;
  void unlink_ready(fiber_block& fiber) noexcept;
  bool bind_stack(fiber_block& fiber) noexcept;
  void switch_to(stack_record& from, fiber_block* next, bool for_good) noexcept;
  void run_ready() noexcept;
  void take_remote_wakes() noexcept;
  void fire_timers() noexcept;
  void poll() noexcept;
  std::uint64_t tick_of(steady_time time) const noexcept;

  run_options options_;
  steady_time epoch_ = steady_clock::now();
  exception_state& live_exceptions_;
  stack_record loop_stack_;
  stack_pool stacks_;
  overflow_watch overflow_watch_;
  poller poller_;
  timer_wheel timers_;
  fiber_block* running_ = nullptr;
  inspection* inspection_ = nullptr;
  fiber_block* ready_first_ = nullptr;
  fiber_block* ready_last_ = nullptr;
  fiber_block* alive_ = nullptr;
  std::size_t alive_count_ = 0;
  std::size_t alive_peak_ = 0;
  std::uint64_t started_ = 0;
  int turns_left_ = 0;
  std::exception_ptr end_reason_;
  bool ending_ = false;
  std::atomic<fiber_block*> remote_wakes_{nullptr};
  std::atomic<bool> sleeping_{false};

  struct free_cell {
    free_cell* next;
  };
  static constexpr std::size_t cell_classes = 16;  // of 64 bytes
  free_cell* free_cells_[cell_classes] = {};
  std::size_t free_count_[cell_classes] = {};
};

}  // namespace weft::detail
