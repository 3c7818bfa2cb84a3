#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/task_block.hpp>
#include <weft/executor/coroutine_driver.hpp>
#include <weft/executor/submission.hpp>
#include <weft/executor/timing.hpp>

// How start() runs a task. Users read task.hpp.

namespace weft::inline v1::detail {

class cancel_desk;

/// The coroutines of a started task: a task of its own, which is carried by whatever task of the executor
/// resumes it, from one co_await to the next; each such part is a function that is posted.
///
/// It is the running task while it is carried: so its context, its scopes and its cancellation are its own
/// and it takes them along. A fiber that carries it switches only where the part waits (safepoints_off).
///
/// A part has two ends, that of the posted function and that of its posting; who comes last ends the part
/// and registers the task with what it waits for. So nobody resumes it too early, and an executor that
/// refuses a part has said why by then.
///
/// Suspended, it sees the cancellation and the deadline of its context too: it asks what it awaits to give
/// up, and goes on, with weft::cancelled, when that is ready. Who cancels holds the lock of the cancel tree,
/// where no more than a wake is possible: so unpark() of one that nobody carries leaves it at the
/// cancel_desk. One that is cancelled before it is suspended, but after it was last looked at, sees it in
/// suspend().
///
/// carrier_lock_ guards carrier_ and permit_; stop_lock_ what is cancelled. Cancelling takes stop_lock_, then
/// that of the cancel tree, then carrier_lock_ and that of the desk. awaited_ is set from the end of a part
/// until its source is ready: who holds stop_lock_ and finds it set may read the context.
class carried_task : public task_block, public coroutine_driver, private future_callback {
 public:
  bool park_until(steady_time until) final;
  void unpark() noexcept final;
  std::string_view name() const noexcept final { return "task"; }

 protected:
  carried_task(std::shared_ptr<executor_core> on, std::source_location from);
  ~carried_task() override;

  /// Posts the first part. False: the executor refused it, and this is over.
  bool begin(std::coroutine_handle<> first) noexcept;
  /// Asks it to give up; the first reason holds. Gives what it awaits, with a reference, to be cancelled too.
  future_core* stop(cancel_reason reason) noexcept;
  std::shared_ptr<const error_origin> failed_here(const std::exception_ptr& error) const noexcept {
    return submission_.failed_here(error);
  }
  /// What it awaits, with a reference; null while it runs.
  future_core* awaited() noexcept;
  void refuse_wait_by_itself(const char* what) const;

  virtual future_core& outcome() noexcept = 0;
  virtual bool is_done() const noexcept = 0;
  /// The outermost coroutine has ended, in its context.
  virtual void keep_outcome() noexcept = 0;
  /// It does not go on: ends the coroutines, in their context.
  virtual void drop(std::exception_ptr why) noexcept = 0;
  /// The context was left. May end this.
  virtual void ended() noexcept = 0;

 private:
  friend class cancel_desk;
  template <typename Of>
  friend class posted_part;
  class reference;

  bool post_part() noexcept;
  void run_part() noexcept;
  void end_one() noexcept;
  void end_part() noexcept;
  void suspend() noexcept;
  void source_ready() noexcept final;
  bool open_scope() noexcept;
  void drop_here() noexcept;
  void end_scope() noexcept;
  void enter(task_block& carrier) noexcept;
  void leave(task_block& carrier) noexcept;
  void heed(task_block& carrier) noexcept;

  std::optional<cancel_reason> asked_to_stop() const noexcept;
  future_core* stop_wait(cancel_reason& why) noexcept;
  void stop_wait_if_asked() noexcept;
  void serve_at_desk() noexcept;
  bool watch_deadline() noexcept;

  submission submission_;
  cancel_desk& desk_;
  std::optional<cancel_scope> scope_;  // made and ended while it is the running task
  std::atomic<int> open_ends_{0};      // of the part
  bool ran_ = false;                   // of the part
  bool is_over_ = false;
  std::exception_ptr refused_;               // why it cannot go on
  steady_time watched_until_ = no_deadline;  // of timer_
  future_timer timer_;                       // of who ends a part
  std::atomic<bool> begun_{false};           // for who waits
  carried_task* next_at_desk_ = nullptr;     // guarded by the desk's lock
  spin_lock carrier_lock_;
  task_block* carrier_ = nullptr;
  bool permit_ = false;
  std::optional<outside_work> at_desk_;  // guarded by carrier_lock_; whom it wakes there, others may wait for
  spin_lock stop_lock_;
  cancel_scope* open_scope_ = nullptr;         // guarded by stop_lock_
  future_core* awaited_ = nullptr;             // guarded by stop_lock_
  std::optional<cancel_reason> cancelled_;     // guarded by stop_lock_; by the future
  std::optional<cancel_reason> wait_stopped_;  // guarded by stop_lock_; awaited_ was asked to give up
};

/// Is a task there a fiber, which may wait and does not hold its thread? Then one runs all of a started task.
bool runs_in_one(const executor_core& on) noexcept;

}  // namespace weft::inline v1::detail
