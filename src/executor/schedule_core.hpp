#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/core/timer_wheel.hpp>
#include <weft/executor/scheduled_pool.hpp>

namespace weft::inline v1::detail {

/// A scheduled task. What can change is guarded by the lock of its schedule.
struct scheduled_record : timer_node {
  std::shared_ptr<schedule_core> of;
  unique_function<void()> work;  // of whoever runs it while active, else guarded
  weft::context context;         // likewise
  task_options options;
  std::source_location submitted_at;
  steady_clock::duration period = {};  ///< zero: once
  bool after_end = false;              ///< the period counts from the end of a run

  std::shared_ptr<scheduled_record> armed_ref = {};  ///< itself, while it waits for its time
  scheduled_record* next_armed = nullptr;
  scheduled_record* previous_armed = nullptr;
  scheduled_record* next_due = nullptr;  ///< of the watcher
  scheduled_state state = scheduled_state::waiting;
  steady_time due_at = {};
  std::uint64_t runs = 0;
  std::uint64_t missed = 0;
  std::exception_ptr error = {};
  bool active = false;            ///< due: a call of it is posted, or about to be
  bool posting = false;           ///< the watcher posts it, and will look after one that is refused
  bool dropped = false;           ///< while it was posted
  cancel_scope* scope = nullptr;  ///< of a run that goes on
  const running_place* place = nullptr;
  waiter_line ends;
  outside_work may_wake_tasks = {};  ///< until it is over and those who waited were woken
};

/// The times of a scheduled pool, and the thread that watches them.
///
/// A task is armed (in the wheel, which then owns it), or active (the pool has a call of it), or over. The
/// call settles it when it ends: arms it anew, or it is over; so a task never overlaps itself. The watcher
/// posts what is due and runs nothing of the user. It is there while something is armed, and a while longer;
/// who finds none starts it, and joins the one before, which has nothing left to do. Wakes and waits are
/// those of every task, so a simulation runs it by its own time.
class schedule_core : public std::enable_shared_from_this<schedule_core> {
 public:
  schedule_core(executor on, std::string name, std::size_t tasks_max);
  schedule_core(const schedule_core&) = delete;
  schedule_core& operator=(const schedule_core&) = delete;
  ~schedule_core();

  void add(const std::shared_ptr<scheduled_record>& task);
  bool cancel(scheduled_record& task) noexcept;
  void wait(scheduled_record& task);
  /// Refuses new tasks, and cancels those that are armed.
  void close() noexcept;
  /// Waits for the end of the watcher; after close.
  void join_watcher();
  std::size_t waiting() const noexcept;
  spin_lock& lock_of_tasks() const noexcept { return lock_; }

  // For the call of a task.
  /// False: it was cancelled.
  bool begin(scheduled_record& task, cancel_scope& scope) noexcept;
  void end_run(scheduled_record& task, scheduled_state how, std::exception_ptr error) noexcept;
  void settle(const std::shared_ptr<scheduled_record>& task, bool ran) noexcept;

 private:
  using lock = std::unique_lock<spin_lock>;
  // With lock_ held.
  std::uint64_t tick_of(steady_time time) const noexcept;
  void arm(const std::shared_ptr<scheduled_record>& task) noexcept;
  std::shared_ptr<scheduled_record> disarm(scheduled_record& task) noexcept;
  scheduled_record* take_due() noexcept;
  void finish(lock& held, scheduled_record& task, scheduled_state how) noexcept;
  void set_next_due(scheduled_record& task) noexcept;
  void post_due(scheduled_record* first);
  void fail_unstarted(scheduled_record& task, const std::exception_ptr& why) noexcept;
  void start_watcher(lock& held);
  void watch();

  const executor on_;
  const std::string name_;
  const std::size_t tasks_max_;
  const steady_time epoch_ = steady_clock::now();
  mutable spin_lock lock_;
  // All guarded by lock_.
  timer_wheel wheel_;  // ticks are microseconds
  scheduled_record* armed_ = nullptr;
  waiter_line watcher_waits_;
  bool watched_ = false;
  bool closed_ = false;
  started_thread watcher_;  // of whoever made watched_ true; after close of who ends the pool
};

}  // namespace weft::inline v1::detail
