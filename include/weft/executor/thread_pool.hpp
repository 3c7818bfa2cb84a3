#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1 {

/// What happens to a task that comes when queue_max tasks wait.
enum class when_full : unsigned char {
  refuse,   ///< post throws weft::error (resource_exhausted)
  wait,     ///< post waits for room, first come first served; a task of the pool itself is refused
  run_here  ///< post runs it in the caller, in its own context; refused at a depth of 32
};

/// How a pool is made. fixed(), cached() and single() fill in the usual kinds.
struct thread_pool_options {
  std::size_t threads = 0;            ///< at most; 0: one for each core; 4 in a simulation
  std::string name = "pool";          ///< of the threads, for people; the kernel shows 15 bytes
  std::size_t queue_max = 1'000'000;  ///< tasks that wait
  when_full full = when_full::refuse;
  /// Zero: all threads are made at once and stay. Else one is made when a task finds none free, and ends when
  /// it was free so long.
  std::chrono::milliseconds idle_max = {};
  std::size_t threads_kept = 0;  ///< of those that come with the work: so many stay
  /// Told of errors that nobody takes, instead of the handler of the process.
  uncaught_handler on_uncaught = {};

  /// That many threads, from the start. For CPU-bound work.
  static thread_pool_options fixed(std::size_t threads, std::string name = "pool");
  /// Threads that come with the work (0: up to one for each core), and end when they were free for a minute.
  /// For work that blocks.
  static thread_pool_options cached(std::size_t threads_max, std::string name = "pool");
  /// One thread: one task after the other, always on that thread.
  static thread_pool_options single(std::string name = "pool");
};

/// A task that still runs.
struct unfinished_task {
  std::string executor = {};
  std::string name = {};  ///< of the task; may be empty
  std::source_location submitted_at = {};
  steady_clock::duration running_for = {};
};

/// What shutdown found.
struct shutdown_report {
  std::size_t finished_tasks = 0;  ///< ended while it waited
  std::size_t dropped_tasks = 0;   ///< had not started in time; their futures got weft::cancelled
  std::size_t running_tasks = 0;   ///< still ran, cancelled, when it returned
  std::vector<unfinished_task> unfinished = {};  ///< those
};

namespace detail {
class pool_core;
}

/// Threads that run blocking or CPU-bound functions: an executor.
///
/// A task runs in the context of the place where it was submitted: its values, its deadline, its
/// cancellation. The task with the largest priority starts first, among equals the one that was submitted
/// first. Those with a low priority may wait for ever. Thread-safe.
///
/// post and submit throw weft::error: closed after shutdown, invalid_argument for a priority out of range,
/// and what when_full says.
///
/// The destructor waits for all tasks, queued ones included; it is not called by one of them.
///
/// metrics::default_registry() has, by pool name: weft_pool_threads, _tasks_running, _tasks_queued,
/// _queue_wait_seconds (whose count is that of tasks begun) and _refused_tasks_total.
class thread_pool : public executor {
 public:
  explicit thread_pool(thread_pool_options options = {});
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool();

  /// Refuses new tasks from here on; those that are queued run. Never waits.
  void close();
  /// Refuses new tasks, lets the queued ones run until `bound`, then drops the rest of the queue, cancels
  /// what runs, and gives that up to `grace` to end. Again: waits again. Throws weft::error (misuse) on
  /// common_pool(), and to a task of the pool: it would wait for itself.
  shutdown_report shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace = {});

  /// That there are now.
  std::size_t threads() const noexcept;
  /// Tasks that wait for a thread.
  std::size_t queued() const noexcept;

 private:
  friend thread_pool& common_pool();
  explicit thread_pool(std::shared_ptr<detail::pool_core> core);
  detail::pool_core& pool() const noexcept;
  void require_own(const char* what) const;

  bool is_common_ = false;  // constant after construction
};

}  // namespace weft::inline v1
