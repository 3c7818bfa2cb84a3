#pragma once

#include <chrono>

#include <weft/core/clock.hpp>

namespace weft {

namespace detail {
struct io_entry;
}

/// A descriptor registered with the running thread's poller for its whole life: edge-triggered, no
/// system call per wait.
///
/// Use: try the system call first; when it says EAGAIN or came back short, mark the direction as not
/// ready and wait for it. One reader and one writer may wait at a time; a second one of a direction
/// gets weft::error (busy) that names both tasks. Waits are cancellation points. Outside a run waits
/// block the thread. Does not own the descriptor: close() the handle, then close the descriptor. With
/// the run in which it was made it is closed; what is left to do then is to let it end.
///
/// Thread-safety: close() from any task of the run; a wait from the run's thread only.
class io_handle {
 public:
  io_handle() noexcept = default;
  /// Registers `fd`, which must be pollable. Throws weft::error.
  explicit io_handle(int fd);
  io_handle(io_handle&& other) noexcept;
  io_handle& operator=(io_handle&& other) noexcept;
  ~io_handle();

  /// Waits until reading may make progress. Throws weft::error (closed) after close().
  void wait_readable();
  void wait_writable();
  /// False when `until` passed first.
  bool wait_readable_until(steady_time until);
  bool wait_writable_until(steady_time until);

  /// Reading would block: the next wait_readable waits for the next edge.
  void mark_not_readable() noexcept;
  void mark_not_writable() noexcept;

  /// Ends the registration; waiters get weft::error (closed). Calling it again has no effect.
  void close() noexcept;
  bool is_open() const noexcept { return entry_ != nullptr; }
  int fd() const noexcept { return fd_; }

 private:
  int fd_ = -1;
  detail::io_entry* entry_ = nullptr;
};

/// Waits until `fd` is readable or writable, or, with a bound, gives false when it passed. For
/// descriptors that are waited for now and then (pidfd, eventfd, signalfd): each wait registers anew.
void wait_readable(int fd);
void wait_writable(int fd);
bool wait_readable_until(int fd, steady_time until);
bool wait_writable_until(int fd, steady_time until);
template <typename Rep, typename Period>
bool wait_readable_for(int fd, std::chrono::duration<Rep, Period> bound) {
  return wait_readable_until(fd, deadline_after(bound));
}
template <typename Rep, typename Period>
bool wait_writable_for(int fd, std::chrono::duration<Rep, Period> bound) {
  return wait_writable_until(fd, deadline_after(bound));
}

}  // namespace weft
