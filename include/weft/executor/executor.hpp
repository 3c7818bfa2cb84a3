#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/future.hpp>
#include <weft/executor/running_place.hpp>

namespace weft::inline v1 {

/// What one task is to an executor.
struct task_options {
  std::string name = {};  ///< for people
  int priority = 0;       ///< a larger one starts first, where the executor has an order; -32 to 31
};

/// An error that nobody will look at.
struct failed_task {
  std::exception_ptr error;
  std::string_view executor;  ///< its name
  std::string_view name;      ///< of the task; may be empty
  std::source_location submitted_at;
};

/// Told of an error in the failed task's context, once. What it throws goes to the log with the error.
using uncaught_handler = std::function<void(const failed_task&)>;

/// The handler of all executors that have none of their own: of tasks that were posted, and of futures that
/// nobody looked at. Empty: a critical log record, as at first. Thread-safe.
void set_uncaught_handler(uncaught_handler handler);

/// A function on its way to where it runs, with what belongs to it.
struct executor_task {
  unique_function<void()> work;
  weft::context context;
  task_options options = {};
  std::source_location submitted_at = {};
};

/// What an executor is made of; for executors of your own. Made by std::make_shared.
///
/// A task is run by detail::run_task, once, or destroyed: then whoever waits for it gets weft::cancelled.
/// Thread-safe.
class executor_core : public std::enable_shared_from_this<executor_core> {
 public:
  virtual ~executor_core() = default;
  /// Takes the task, to run it in its context. Throws weft::error: closed, resource_exhausted; one that must
  /// wait for room also weft::cancelled.
  virtual void post(executor_task task) = 0;
  virtual std::string_view name() const noexcept = 0;
  /// How many tasks run at once, at most.
  virtual std::size_t concurrency() const noexcept = 0;
  /// Can a task that waits here not begin before the running task has gone on? By default where the running
  /// task has the one place there is.
  virtual bool is_held_up_by_caller() const noexcept;
  /// Does a task of it that waits give its place to others? By default not: it holds a thread.
  virtual bool suspends_waits() const noexcept { return false; }
  /// False: it runs one function and nothing can be posted to it, as a weft::thread.
  virtual bool takes_tasks() const noexcept { return true; }
  /// Hands an error on that nobody looks at; called in the context of the failed task. By default to the
  /// handler of set_uncaught_handler.
  virtual void report_uncaught(const failed_task& what) noexcept;
};

namespace detail {
/// Runs the task in its context, a cancellation scope of its own and on a place of `on`, hands on what it
/// throws, and ends it. As if the caller did nothing else: its own context is restored.
void run_task(executor_core& on, executor_task& task) noexcept;
/// The middle part of it: the context is there already, and the task is not ended.
void run_work(executor_core& on, executor_task& task) noexcept;
/// The last part: ends the function, in the root context. That may tell who waits for it.
void end_work(executor_task& task) noexcept;
}  // namespace detail

/// A place where functions run: a pool, a strand, the loop of a run, the caller itself.
///
/// A handle of one pointer, cheap to copy; a thread_pool or strand is one and converts to it. It keeps what
/// it refers to, not its threads: a pool that was shut down refuses. Thread-safe.
class executor {
 public:
  /// Any number of tasks at once.
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  /// `core` is not null.
  explicit executor(std::shared_ptr<executor_core> core) noexcept : core_(std::move(core)) {}

  /// Runs `work` there later, in the caller's context: values, deadline and cancellation. What it throws
  /// goes to the uncaught handler, once. It must own what it needs. Throws as the executor says.
  template <typename Work>
  void post(Work&& work, std::source_location from = std::source_location::current()) const {
    core_->post({std::forward<Work>(work), context::capture(), {}, from});
  }
  template <typename Work>
  void post(Work&& work, task_options options,
            std::source_location from = std::source_location::current()) const {
    core_->post({std::forward<Work>(work), context::capture(), std::move(options), from});
  }

  /// As post, and gives the result or the exception as a future. Of work that will not run the future
  /// gets weft::cancelled (shutdown).
  template <typename Work>
  auto submit(Work&& work, std::source_location from = std::source_location::current()) const
      -> future<std::invoke_result_t<std::decay_t<Work>&>>;
  template <typename Work>
  auto submit(Work&& work, task_options options,
              std::source_location from = std::source_location::current()) const
      -> future<std::invoke_result_t<std::decay_t<Work>&>>;

  std::string_view name() const noexcept { return core_->name(); }
  /// How many tasks it runs at once, at most; unbounded: as many as there are.
  std::size_t concurrency() const noexcept { return core_->concurrency(); }
  /// Is the caller one of its tasks?
  bool runs_caller() const noexcept { return detail::is_inside(*core_); }
  /// Would the caller wait for ever for a task that it gives to this executor?
  bool is_held_up_by_caller() const noexcept { return core_->is_held_up_by_caller(); }

  const std::shared_ptr<executor_core>& core() const noexcept { return core_; }
  friend bool operator==(const executor& a, const executor& b) noexcept { return a.core_ == b.core_; }

 private:
  std::shared_ptr<executor_core> core_;
};

/// The executor of the running code: of a pool's task, that pool; of a strand's, the strand; on a fiber, its
/// loop, where each task becomes a fiber; on any other thread common_pool(). It belongs to where the code
/// runs and is not part of the context.
executor current_executor();

/// Runs what it is given at once, in the caller: in its context, and only the caller's thread is the
/// caller's. From a depth of 32 on, a task waits until the one around it is done.
executor inline_executor();

}  // namespace weft::inline v1

#include <weft/executor/submission.hpp>  // IWYU pragma: export
