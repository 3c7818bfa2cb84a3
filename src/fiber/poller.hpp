#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include <weft/context/wait.hpp>

namespace weft::detail {

class poller;

/// A registered descriptor. Closed, it lives until the end of the poll batch, so that no event of that
/// batch meets a freed entry, and until the last task in it has left. One whose handle outlives the
/// poller is left to the handle, closed.
struct io_entry {
  poller* owner = nullptr;   // null: the poller has ended
  io_entry* next = nullptr;  // all open entries of the poller
  io_entry* previous = nullptr;
  int fd = -1;
  spin_lock lock;
  bool readable = true;     // guarded by lock; optimistic until a call says otherwise
  bool writable = true;     // guarded by lock
  bool read_ended = false;  // guarded by lock; the peer's end was seen: its edge does not come again
  bool closed = false;      // guarded by lock
  int tasks_inside = 0;     // guarded by lock
  waiter_line readers;      // guarded by lock; at most one
  waiter_line writers;      // guarded by lock; at most one
};

/// epoll, and an eventfd by which other threads end its sleep.
class poller {
 public:
  poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller();

  /// Registers both directions, edge-triggered. Throws weft::error.
  io_entry* add(int fd);
  void remove(io_entry& entry) noexcept;

  /// Waits at most `timeout_ms` (-1: for ever) and wakes the waiters of what is ready.
  void poll(int timeout_ms) noexcept;
  /// How many descriptors are registered: each may wake a task.
  std::size_t waiting() const noexcept { return open_ != nullptr ? 1 : 0; }
  /// Ends the current or the next sleep. Any thread; one system call.
  void ring() noexcept;

 private:
  void set_ready(io_entry& entry, unsigned int events) noexcept;
  void free_removed() noexcept;

  int epoll_fd_ = -1;
  int bell_fd_ = -1;
  io_entry* open_ = nullptr;
  std::vector<io_entry*> removed_;
};

}  // namespace weft::detail
