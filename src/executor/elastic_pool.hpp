#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include <weft/context/context.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/thread_mutex.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/blocking_options.hpp>
#include <weft/metrics/histogram.hpp>

namespace weft::inline v1::detail {

/// Threads that come and go with the work.
///
/// A thread serves (takes tasks from the queue), is free (waits in free_), or is coming: it is being made, or
/// was called from free_, and has not yet looked at the queue. A coming thread always looks, and a thread
/// that has ended a task looks too, so no task stays behind while a thread is free. The first coming_ tasks
/// of the queue have somebody coming; the others wait for a thread that gets done, or, once they have waited
/// for grow_after, get a new one from the keeper, which at most doubles the threads in a millisecond. The
/// keeper is a thread that is there only while it may be needed: it looks at the queue under lock_ before it
/// parks, and who leaves a task uncovered afterwards wakes it. Who is freed last is called first, so that the
/// others get old enough to end.
///
/// Two locks. starting_ is held by whoever may make a thread, from before it looks until the thread is made
/// or refused: so a task that counts on a thread that could not be made is that of the caller, who is told.
/// lock_ comes after it and guards everything else; it is let go of while a thread is made. Thread-safe.
class elastic_pool {
 public:
  /// With what a 0 stands for filled in. Throws weft::error (invalid_argument).
  static blocking_options checked(blocking_options options);

  /// Records in `queue_wait` how long each task waited.
  elastic_pool(blocking_options options, metrics::histogram queue_wait);
  elastic_pool(const elastic_pool&) = delete;
  elastic_pool& operator=(const elastic_pool&) = delete;
  /// There must be no threads any more.
  ~elastic_pool() = default;

  /// Lets what is queued run, and waits for the end of all threads; not from one of them. Nothing is posted
  /// after.
  void stop();
  /// Runs `work` on a thread, in the caller's context. Never waits. Throws weft::error:
  /// resource_exhausted at queue_max; why there is no thread, if there is none and none can be made.
  void post(unique_function<void()> work);
  /// Threads above a lowered bound end when they are done with their task.
  void set_options(blocking_options options);
  blocking_statistics statistics() const;

 private:
  /// Its guard ends after everybody who waits for the work was woken.
  struct task {
    context captured;
    unique_function<void()> work;
    steady_time queued_at = steady_clock::now();
    outside_work may_wake_tasks = {};
    task* next = nullptr;
  };
  using lock = std::unique_lock<spin_lock>;

  // All with lock_ held. Those that take the lock let go of it in between; those that start threads are
  // called with starting_ held as well.
  void require_room(lock& held);
  void push(task* added) noexcept;
  std::unique_ptr<task> pop() noexcept;
  bool has_uncovered() const noexcept { return queued_ > coming_; }
  const task& first_uncovered() const noexcept;
  void call_free_thread() noexcept;
  void get_thread(lock& held);
  bool start_thread(lock& held);
  bool call_keeper(lock& held);
  void start_for_overdue(lock& held, steady_time now);
  void serve();
  void run_next(lock& held);
  bool wait_until_called(lock& held);
  void keep();
  bool sleep_as_keeper(lock& held, steady_time now);

  const metrics::histogram queue_wait_;
  thread_mutex starting_;
  mutable spin_lock lock_;
  blocking_options options_;
  task* first_ = nullptr;  // owned; linked by next
  task* last_ = nullptr;
  std::size_t queued_ = 0;
  waiter_line free_;
  std::size_t threads_ = 0;  // without the keeper
  std::size_t coming_ = 0;
  std::size_t peak_threads_ = 0;
  std::uint64_t started_tasks_ = 0;
  std::uint64_t refused_tasks_ = 0;
  waiter_line keeper_;  // the keeper, while it sleeps
  bool keeper_there_ = false;
  bool keeper_unneeded_ = false;  // sleeps until somebody leaves a task uncovered
  bool closing_ = false;
  waiter_line stopping_;
};

}  // namespace weft::inline v1::detail
