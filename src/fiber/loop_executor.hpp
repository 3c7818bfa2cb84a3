#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <weft/core/spin_lock.hpp>
#include <weft/executor/executor.hpp>

namespace weft::inline v1::detail {

class scheduler;

/// A loop as an executor: each task is a fiber of that loop, which no other loop takes.
///
/// Tasks from other threads wait in coming_ until the loop's next turn. close() comes from the loop's thread
/// when no fiber is left; lock_ keeps the loop there for a poster.
class loop_executor final : public executor_core {
 public:
  explicit loop_executor(scheduler& loop) noexcept : loop_(&loop) {}

  void post(executor_task task) override;
  std::string_view name() const noexcept override { return "loop"; }
  std::size_t concurrency() const noexcept override { return executor::unbounded; }
  bool is_held_up_by_caller() const noexcept override { return false; }
  bool suspends_waits() const noexcept override { return true; }
  /// To the handler of the run.
  void report_uncaught(const failed_task& what) noexcept override;

  /// The loop ends: drops what has not begun, and refuses from here on.
  void close() noexcept;

 private:
  void start(scheduler& on, executor_task task);
  void start_coming() noexcept;
  /// Null, if this is not the loop's thread or the loop has ended.
  scheduler* loop_if_home() const noexcept;

  mutable spin_lock lock_;
  scheduler* loop_;                    // guarded by lock_; null at the end
  std::vector<executor_task> coming_;  // guarded by lock_; if not empty, the loop will look
};

}  // namespace weft::inline v1::detail
