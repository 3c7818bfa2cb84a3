#pragma once

#include <utility>

#include <weft/core/clock.hpp>
#include <weft/fiber/io_event.hpp>

namespace weft::inline v1 {

namespace detail {
class io_entry;
}

/// A descriptor registered for its whole life with the loop of the fiber that makes the handle:
/// edge-triggered. A wait to read makes no system call; one to write may: that is watched only meanwhile.
///
/// Use: try the system call first; when it says EAGAIN or came back short, mark the direction as not
/// ready and wait for it. One reader and one writer may wait at a time; a second one of a direction
/// gets weft::error (busy) that names both tasks, also where it waits by wait_event(fd). Waits are
/// cancellation points, which leave the handle as it was. Does not own the descriptor: close() the
/// handle, then close the descriptor. With the run in which it was made it is closed; what is left to
/// do then is to let it end. Made outside a run it is not registered: a plain thread
/// that waits blocks, and a fiber waits as by wait_event(fd), each time anew.
///
/// Thread-safety: wait, mark and close() from any task of any run and from plain threads; a wait in
/// another loop than the one that made it is woken across threads, which costs more. Moving and the
/// destructor are for the owner alone: no other task may still be in a call then. Of one direction,
/// one task at a time reads (or writes), marks and waits.
class io_handle {
 public:
  io_handle() noexcept = default;
  /// Registers `fd`. Throws weft::error: already_exists where this loop has a handle for it,
  /// invalid_argument where it is not open, unsupported where it cannot be polled (a regular file).
  /// A handle for this number whose descriptor was closed without it is closed for good here.
  explicit io_handle(int fd);
  io_handle(io_handle&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  io_handle& operator=(io_handle&& other) noexcept;
  ~io_handle() { drop(); }

  /// Waits until reading may make progress. Throws weft::error (closed) after close().
  void wait_readable();
  void wait_writable();
  /// False when `until` passed first.
  bool wait_readable_until(steady_time until);
  bool wait_writable_until(steady_time until);

  /// Reading would block: the next wait_readable waits for the next edge. An edge that came since the
  /// last wait_readable is not forgotten, so at worst the next wait returns for nothing, once.
  void mark_not_readable() noexcept;
  void mark_not_writable() noexcept;

  /// Ends the registration; waiters get weft::error (closed). Calling it again has no effect.
  void close() noexcept;
  /// Is it registered, and neither closed nor its run over?
  bool is_open() const noexcept;
  /// The number it was made with, also after close(); -1 for one that was not made of any.
  int fd() const noexcept;

 private:
  void drop() noexcept;
  detail::io_entry* entry_ = nullptr;  // owns one reference
};

}  // namespace weft::inline v1
