#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>

#include <weft/context/wait.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/executor/carried_task.hpp>

namespace weft::inline v1::detail {

/// Where suspended tasks are left when they are cancelled: whoever cancels holds the lock of the cancel tree,
/// and what a task awaits is cancelled by calling others. So a thread of the desk does that, one task after
/// the other.
///
/// The thread comes with the first task and stays; in a simulation it ends with the last one, or the run
/// would not. lock_ is taken under the lock of the cancel tree.
class cancel_desk {
 public:
  /// The one of the process, or of the simulation.
  static cancel_desk& get();

  cancel_desk() noexcept;
  cancel_desk(const cancel_desk&) = delete;
  cancel_desk& operator=(const cancel_desk&) = delete;

  /// From here on there is a thread, until as many leave as have entered. Throws where none can be had.
  void enter();
  void leave() noexcept;
  /// A suspended task was cancelled. It is not at the desk; takes over a reference.
  void add(carried_task& one_ref) noexcept;

 private:
  void serve() noexcept;

  const bool ends_;  // the thread, with the last task
  std::atomic<bool> has_thread_{false};
  spin_lock lock_;
  waiter_line thread_waits_;       // guarded by lock_
  std::size_t tasks_ = 0;          // guarded by lock_; counted only where the thread ends
  carried_task* first_ = nullptr;  // guarded by lock_
};

}  // namespace weft::inline v1::detail
