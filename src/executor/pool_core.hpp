#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/executor/thread_pool.hpp>
#include <weft/metrics/counter.hpp>
#include <weft/metrics/histogram.hpp>
#include <weft/metrics/source.hpp>

#include "executor/task_lines.hpp"

namespace weft::inline v1::detail {

/// The queue and the threads of a pool.
///
/// The threads wait as every task does (context/wait.hpp), so that a simulation can run them. One that finds
/// the queue empty joins idle_threads_; each task that comes wakes the one that was freed last, and whoever
/// is up first takes it. A thread ends when closed_ and the queue is empty, or when it was idle too long.
///
/// Growing. A task that was accepted counts as arriving_ until it is queued. A thread that runs no task is
/// free, also while it is made or woken. Where more tasks arrive or wait than there are free threads, the
/// poster makes one before it queues its task: so it is told when there can be none.
/// Where that is refused and there is no thread at all, the poster runs what others have queued meanwhile.
/// starting_ is held while threads are made; who joins one takes it first, so that it is made by then. A
/// thread that ends leaves its record in ended_ and joins the one that did so before: so joining the last one
/// is joining all.
///
/// Room. Where the queue is full, who may wait does so in room_; a thread that takes a task accepts the
/// first of them, so nobody gets in between.
///
/// Running tasks are in a list while they run, so that shutdown can cancel them and name them; one that
/// starts after that sees cancelling_. closed_ and cancelling_ only go to true. Nothing is allocated
/// or freed under lock_, but for the report of a shutdown that ran out of time.
class pool_core final : public executor_core {
 public:
  /// With threads filled in. Throws weft::error (invalid_argument).
  static thread_pool_options checked(thread_pool_options options);
  explicit pool_core(thread_pool_options options);
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;
  ~pool_core() override;

  /// Makes the threads that are there from the start. Throws where one cannot be had; then there is none.
  void start();

  void post(executor_task task) override;
  std::string_view name() const noexcept override { return options_.name; }
  std::size_t concurrency() const noexcept override { return options_.threads; }
  void report_uncaught(const failed_task& what) noexcept override;

  void close() noexcept;
  shutdown_report drain(steady_time until, std::chrono::milliseconds grace);
  /// Waits for the end of all threads; after drain.
  void join_threads();
  std::size_t threads() const noexcept;
  std::size_t queued() const noexcept;

 private:
  /// A task. Its guard ends after everybody who waits for the task was woken.
  struct entry {
    executor_task task;
    steady_time queued_at = steady_clock::now();
    outside_work may_wake_tasks = {};
    entry* next = nullptr;
    int priority() const noexcept { return task.options.priority; }
  };
  /// A task that runs, on the stack of its thread.
  struct running {
    const executor_task* task;
    cancel_scope* scope;
    steady_time since;
    running* next = nullptr;
    running* previous = nullptr;
  };
  struct thread_record {
    started_thread thread = {};
  };
  using lock = std::unique_lock<spin_lock>;

  // With lock_ held; those that take the lock let go of it in between.
  bool is_full() const noexcept { return lines_.size() + arriving_ >= options_.queue_max; }
  bool grows() const noexcept { return options_.idle_max > options_.idle_max.zero(); }
  bool is_quiet() const noexcept { return lines_.empty() && arriving_ == 0 && active_ == 0; }
  void accept(lock& held);
  void wait_for_room(lock& held);
  void start_thread_if_needed(lock& held);
  void start_thread(lock& held);
  std::unique_ptr<entry> take(lock& held);
  void serve_stranded(lock& held);
  void finish_one();
  void list(shutdown_report& to) const;

  [[noreturn]] void throw_closed() const;
  [[noreturn]] void throw_full(const char* why) const;
  void serve(thread_record* self_ref);
  void run_here(std::unique_ptr<entry> one);
  void run(entry& one);
  std::size_t drop(task_lines<entry>& left) noexcept;
  void read(metrics::readings& to) const;

  const thread_pool_options options_;
  metrics::histogram queue_wait_;
  metrics::counter refused_;
  std::mutex starting_;
  mutable spin_lock lock_;
  // All guarded by lock_.
  task_lines<entry> lines_;  // owned
  std::size_t arriving_ = 0;
  std::size_t threads_ = 0;
  std::size_t threads_made_ = 0;
  std::size_t free_ = 0;
  std::size_t active_ = 0;  // tasks taken and not finished
  std::size_t finished_ = 0;
  running* running_ = nullptr;
  bool cancelling_ = false;
  bool closed_ = false;
  waiter_line idle_threads_;
  waiter_line room_;
  waiter_line drains_;  // wait until nothing is queued or runs
  waiter_line ends_;    // wait until no thread is left
  std::unique_ptr<thread_record> ended_;

  metrics::source source_;  // last: nothing is read of a pool that is ending
};

}  // namespace weft::inline v1::detail
