#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/executor.hpp>
#include <weft/executor/thread_pool.hpp>

namespace weft::inline v1 {

/// How a scheduled pool is made.
struct scheduled_pool_options {
  std::size_t threads = 1;            ///< that run what is due; 0: one for each core
  std::string name = "scheduled";     ///< of the threads
  std::size_t tasks_max = 1'000'000;  ///< that are scheduled at once; more throw resource_exhausted
  uncaught_handler on_uncaught = {};  ///< instead of the handler of the process
};

/// What has become of a scheduled task.
enum class scheduled_state : unsigned char {
  waiting,    ///< for its time
  running,    ///< due: it runs, or waits for a thread
  done,       ///< a task for once, that has run
  failed,     ///< it threw, or could not be started; see error()
  cancelled,  ///< by cancel(), by the context it was scheduled in, or by the end of the pool
};

namespace detail {
class schedule_core;
struct scheduled_record;
}  // namespace detail

/// A handle to a scheduled task. Dropping it lets the task go on. Copies are the same task. Thread-safe.
class scheduled_task {
 public:
  scheduled_task() noexcept = default;

  /// It does not start any more, and where it runs it is asked to give up. Never waits. True if this call
  /// ended it; false if it was over. Also from inside the task.
  bool cancel() noexcept;
  /// Waits until it is over and does not run: done, failed or cancelled. A task that waits for itself gets
  /// weft::error (deadlock). A cancellation point.
  void wait() const;

  scheduled_state state() const noexcept;
  /// Why it failed; null where it did not.
  std::exception_ptr error() const noexcept;
  /// Times that it has begun.
  std::uint64_t runs() const noexcept;
  /// Due times that were left out, because it still ran, or no thread could take it.
  std::uint64_t missed() const noexcept;
  /// The next time it is due; no_deadline when it is over or runs with a fixed delay.
  steady_time due() const noexcept;
  bool valid() const noexcept { return record_ != nullptr; }

 private:
  friend class scheduled_pool;
  explicit scheduled_task(std::shared_ptr<detail::scheduled_record> record) noexcept;
  std::shared_ptr<detail::scheduled_record> record_;
};

/// Runs functions later and again: an executor whose tasks may also have a time.
///
/// Each run is a task of the pool, in a fresh frame of the context in which it was scheduled: what one
/// run sets, the next does not see. A task never overlaps itself. Times are those of steady_clock; a thread
/// of its own watches them and runs nothing but that, so a late function delays only those that wait for a
/// thread of the pool.
///
/// A task that throws is not run again: its error goes to the uncaught handler, once, in its context, and is
/// in its handle. One that throws weft::cancelled, because its context was cancelled or is past its deadline,
/// is cancelled for good and not reported.
///
/// The destructor and shutdown() drop what waits for its time, and let what is due run. Thread-safe.
class scheduled_pool : public executor {
 public:
  explicit scheduled_pool(scheduled_pool_options options = {});
  scheduled_pool(const scheduled_pool&) = delete;
  scheduled_pool& operator=(const scheduled_pool&) = delete;
  ~scheduled_pool();

  /// Runs `work` once, when `delay` has passed, never early. Throws weft::error: closed, resource_exhausted.
  template <typename Rep, typename Period, typename Work>
  scheduled_task once(std::chrono::duration<Rep, Period> delay, Work&& work, task_options options = {},
                      std::source_location from = std::source_location::current()) {
    return add(deadline_after(delay), {}, false, std::forward<Work>(work), std::move(options), from);
  }
  /// Runs `work` when `first` has passed, and then one `period` after it was due last, however late it ran.
  /// Times that pass while it runs are left out and counted. Throws also weft::error (invalid_argument) for a
  /// period below a microsecond.
  template <typename Rep, typename Period, typename Rep2, typename Period2, typename Work>
  scheduled_task at_fixed_rate(std::chrono::duration<Rep, Period> first,
                               std::chrono::duration<Rep2, Period2> period, Work&& work,
                               task_options options = {},
                               std::source_location from = std::source_location::current()) {
    return add(deadline_after(first), checked(period), false, std::forward<Work>(work), std::move(options),
               from);
  }
  /// Runs `work` when `first` has passed, and then one `delay` after it has ended.
  template <typename Rep, typename Period, typename Rep2, typename Period2, typename Work>
  scheduled_task with_fixed_delay(std::chrono::duration<Rep, Period> first,
                                  std::chrono::duration<Rep2, Period2> delay, Work&& work,
                                  task_options options = {},
                                  std::source_location from = std::source_location::current()) {
    return add(deadline_after(first), checked(delay), true, std::forward<Work>(work), std::move(options),
               from);
  }

  /// Refuses new tasks and drops what waits for its time. Never waits.
  void close();
  /// The same, and ends the pool as thread_pool::shutdown does. Throws weft::error (misuse) on
  /// common_scheduled_pool() and to a task of the pool.
  shutdown_report shutdown(std::chrono::milliseconds bound, std::chrono::milliseconds grace = {});

  /// Tasks that wait for their time.
  std::size_t waiting() const noexcept;
  /// Of the pool, that there are now; they come with the work.
  std::size_t threads() const noexcept { return pool_->threads(); }
  /// Tasks that are due and wait for a thread.
  std::size_t queued() const noexcept { return pool_->queued(); }

 private:
  friend scheduled_pool& common_scheduled_pool();
  template <typename Rep, typename Period>
  static steady_clock::duration checked(std::chrono::duration<Rep, Period> period) {
    constexpr auto longest = std::chrono::hours(24 * 365 * 100);
    if (period > longest) return longest;
    return checked_length(std::chrono::ceil<steady_clock::duration>(period));
  }
  static steady_clock::duration checked_length(steady_clock::duration period);
  scheduled_pool(const scheduled_pool_options& options, std::unique_ptr<thread_pool> pool);
  scheduled_task add(steady_time due, steady_clock::duration period, bool after_end,
                     unique_function<void()> work, task_options options, std::source_location from);
  void require_own(const char* what) const;

  std::unique_ptr<thread_pool> pool_;
  std::shared_ptr<detail::schedule_core> schedule_;
  bool is_common_ = false;  // constant after construction
};

/// The scheduled pool of the process, with one thread; made at first use and never ended. shutdown() on it is
/// an error. Functions that take long belong into a pool of their own. A simulation has one of its own; a
/// forked child makes its own.
scheduled_pool& common_scheduled_pool();

}  // namespace weft::inline v1
