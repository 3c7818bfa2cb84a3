#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <weft/core/clock.hpp>

namespace weft::inline v1::detail {

struct context_node;
class context_scope;
struct running_place;

/// What a task carries besides its block, made at first use: locals and deferred calls.
class task_extras {
 public:
  /// The task's function has returned or thrown: runs what was deferred, ends the locals, takes itself
  /// out of the block and ends itself. On the task; may wait.
  virtual void end() noexcept = 0;

 protected:
  ~task_extras() = default;
};

/// What everything that waits knows of the task it runs in: a fiber, or a plain thread.
///
/// How a wait works. A task parks until it holds a permit; unpark() gives the permit, from any
/// thread, and giving it twice is giving it once. A permit may be left over from an earlier wait, so
/// everyone who parks re-checks his own condition in a loop. A primitive marks its waiter as served
/// and unparks it while it holds the primitive's lock, and a waiter leaves only after it has held
/// that lock: so nobody touches the block of a task that has gone on.
class task_block {
 public:
  /// The running task's block. One thread-local load; for a plain thread it is made at first use.
  static task_block& current() noexcept;
  /// As current(), but null on a thread that never had a task.
  static task_block* current_or_null() noexcept;

  /// Takes the permit, waiting for it until `until`. False when the bound passed first.
  /// Does not look at cancellation: context/wait.hpp does.
  virtual bool park_until(steady_time until) = 0;

  /// Gives the permit. Any thread; never waits; on a fiber's block it queues the fiber.
  virtual void unpark() noexcept = 0;

  /// Unique in the process, never reused.
  std::uint64_t id() const noexcept { return id_; }
  bool is_fiber() const noexcept { return is_fiber_; }
  virtual std::string_view name() const noexcept = 0;

  /// The bindings in force; owned by the block; changed by the task itself only.
  context_node* context = nullptr;
  /// The wait the task is parked in, a literal, null while it runs; for people.
  std::atomic<const char*> waits_for{nullptr};
  /// Set by no_wait_scope: why a wait is not allowed here; null where it is.
  const char* no_wait = nullptr;
  /// The innermost of the scopes that changed the context; changed by the task itself only.
  context_scope* scopes = nullptr;
  /// Null until first used; changed by the task itself only.
  task_extras* extras = nullptr;
  /// The executors it runs on, innermost first; null on a plain thread outside of all. Changed by the task
  /// itself only, and by a loop for a fiber that it starts.
  running_place* place = nullptr;
  /// How many locks with an owner it holds; changed by the task itself only.
  std::uint32_t locks_held = 0;
  /// Above 0: compiler-inserted safepoints do not switch. Changed by the task itself only.
  std::uint16_t preemption_off = 0;
  /// It ends context values: one whose end drops others does not end them by recursion.
  bool ends_values = false;

 protected:
  task_block(std::uint64_t id, bool is_fiber) noexcept : is_fiber_(is_fiber), id_(id) {}
  ~task_block() = default;

 private:
  const bool is_fiber_;

 protected:
  // Here, so that fibers can show debuggers where it is.
  const std::uint64_t id_;
};

/// The next task id.
std::uint64_t next_task_id() noexcept;

/// The thread's running task; null on a thread that has not had one. Written by whoever switches
/// tasks on this thread. A compiler may keep its address across a switch, because a started fiber
/// stays on its thread; it reads the value anew, because a switch is a call it cannot look into.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local task_block* running_task;

/// Gives a plain thread its block.
task_block& adopt_thread() noexcept;

inline task_block& task_block::current() noexcept {
  task_block* const task = running_task;
  return task != nullptr ? *task : adopt_thread();
}
inline task_block* task_block::current_or_null() noexcept { return running_task; }

}  // namespace weft::inline v1::detail
