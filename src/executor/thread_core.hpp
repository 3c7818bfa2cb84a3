#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/executor/thread.hpp>
#include <weft/executor/thread_pool.hpp>

namespace weft::inline v1::detail {

/// What a weft::thread and its function share: the place of one task, which nothing is posted to.
///
/// The function's scope is in scope_ while it runs, so that others can cancel it. over_ is set when all that
/// belongs to the function has ended; then only the thread itself is left to join.
class thread_core final : public executor_core {
 public:
  thread_core(executor_task task, thread_options options);
  thread_core(const thread_core&) = delete;
  thread_core& operator=(const thread_core&) = delete;
  ~thread_core() override = default;

  void start();
  /// False: `until` passed.
  bool wait_over(steady_time until, bool cancellable);
  /// Of the one handle, after wait_over.
  void join() { thread_.join(); }
  void cancel(cancel_reason reason) noexcept;
  /// Null when it is over.
  std::optional<unfinished_task> unfinished() const;

  void post(executor_task task) override;
  std::string_view name() const noexcept override { return options_.name; }
  std::size_t concurrency() const noexcept override { return 1; }
  bool takes_tasks() const noexcept override { return false; }
  void report_uncaught(const failed_task& what) noexcept override;

 private:
  void serve() noexcept;

  const thread_options options_;
  const steady_time since_ = steady_clock::now();
  executor_task task_;
  outside_work may_wake_tasks_;
  started_thread thread_;
  mutable spin_lock lock_;
  cancel_scope* scope_ = nullptr;           // guarded by lock_
  std::optional<cancel_reason> cancelled_;  // guarded by lock_; before it began
  bool over_ = false;                       // guarded by lock_
  waiter_line joiners_;                     // guarded by lock_
};

}  // namespace weft::inline v1::detail
