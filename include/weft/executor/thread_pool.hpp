#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/future.hpp>

namespace weft {

/// How a pool is made.
struct thread_pool_options {
  std::size_t threads = 0;            ///< 0: one for each core; 4 in a simulation
  std::string name = "pool";          ///< of the threads, for people; the kernel shows 15 bytes
  std::size_t queue_max = 1'000'000;  ///< tasks that wait; submit throws resource_exhausted above
};

/// What shutdown found.
struct shutdown_report {
  std::size_t finished_tasks = 0;  ///< ended while it waited
  std::size_t dropped_tasks = 0;   ///< had not started in time; their futures got weft::cancelled
  std::size_t running_tasks = 0;   ///< still ran, cancelled, when the bound passed
};

/// Threads that run blocking or CPU-bound functions.
///
/// A task runs in the context of the place where it was submitted: its values, its deadline, its
/// cancellation. Tasks start in the order of submission. Thread-safe.
///
/// The destructor waits for all tasks, queued ones included.
///
/// metrics::default_registry() has, by pool name: weft_pool_threads, _tasks_running, _tasks_queued,
/// _queue_wait_seconds (whose count is that of tasks begun) and _refused_tasks_total.
class thread_pool {
 public:
  explicit thread_pool(thread_pool_options options = {});
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;
  ~thread_pool();

  /// Queues `work`; the future has its result or the exception it threw. Never waits. Throws
  /// weft::error: closed after shutdown, resource_exhausted at queue_max.
  template <typename Work>
  auto submit(Work&& work) -> future<std::invoke_result_t<std::decay_t<Work>&>> {
    using value = std::invoke_result_t<std::decay_t<Work>&>;
    promise<value> outcome;
    auto result_of_work = outcome.get_future();
    post([outcome = std::move(outcome), held = std::forward<Work>(work)](task_start start) mutable {
      if (start == task_start::dropped) {
        outcome.set_error(std::make_exception_ptr(cancelled(cancel_reason::shutdown, "thread_pool queue")));
        return;
      }
      outcome.set(result<value>::of([&held]() -> value { return std::invoke(held); }));
    });
    return result_of_work;
  }

  /// Refuses new tasks, lets the queued ones run until `bound`, then drops the rest of the queue,
  /// cancels what runs, and returns without waiting for it. Again: waits again.
  shutdown_report shutdown(std::chrono::milliseconds bound);

  std::size_t threads() const noexcept;
  /// Tasks that wait for a thread.
  std::size_t queued() const noexcept;

 private:
  enum class task_start : unsigned char { run, dropped };
  using task = unique_function<void(task_start)>;
  void post(task work);

  class state;
  std::shared_ptr<state> state_;  // shared with the threads: one may outlive a bounded shutdown
};

}  // namespace weft
