#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <weft/context/wait.hpp>

namespace weft::inline v1::detail {

class io_table;

/// A task that waits for events of one descriptor. Events are EPOLL bits.
struct io_waiter : waiter {
  std::uint32_t wants = 0;
  std::uint32_t got = 0;  // guarded by the entry's lock; what it was served with
};

/// A descriptor that can be waited for: the registration of one in a loop's epoll set, or, made outside
/// a run, just the number.
///
/// References are held by the table while it is there, by the io_handle, and by each task inside;
/// whoever drops the last one frees it. An entry that is closed stays so and gets no more events; the
/// number may then belong to another one.
class io_entry {
 public:
  io_entry(std::shared_ptr<io_table> table, int fd, std::uint32_t generation) noexcept
      : table_(std::move(table)), fd_(fd), generation_(generation) {}
  io_entry(const io_entry&) = delete;
  io_entry& operator=(const io_entry&) = delete;

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  /// The loop's table; null for an entry made outside a run.
  const std::shared_ptr<io_table>& table() const noexcept { return table_; }
  int fd() const noexcept { return fd_; }
  std::uint32_t generation() const noexcept { return generation_; }
  bool is_closed() noexcept;

  /// Marks what is ready and wakes who waits for it. True where it could be written, which nobody waited for:
  /// the table then tells the kernel that nobody does. Under the table's mutex.
  bool deliver(std::uint32_t events) noexcept;
  /// Wakes all who wait; they find it closed.
  void close() noexcept;

  /// Waits until `wants`, an error or a hang-up holds, and gives what holds; 0 when `until` passed.
  /// Throws weft::error: closed, busy, misuse; and weft::cancelled.
  std::uint32_t wait(std::uint32_t wants, steady_time until, const char* what);
  /// The same for an io_handle, which knows what is ready from the edges that came. `wants` is one
  /// direction. False when `until` passed.
  bool wait_edge(std::uint32_t wants, steady_time until, const char* what);
  /// A call said that the direction is not ready.
  void mark_not_ready(std::uint32_t direction) noexcept;

  /// The kernel is to tell when it can be written. Otherwise each read of the other end of a socket would
  /// wake the loop for nothing. Under the table's mutex.
  void watch_writable() noexcept;
  bool is_watched_for_writing() const noexcept { return watches_writable_; }

  // For the table.
  bool has_handle = false;  // guarded by the table's mutex
  int guests = 0;           // guarded by the table's mutex; waits without a handle

 private:
  /// What an io_handle knows of a direction. An edge may come, in the loop's thread, between a call
  /// that said EAGAIN and the mark that follows; the mark must not cover it. So a mark counts only if
  /// no edge has come since the last wait, and every wait notes the number of edges it has seen.
  struct direction_state {
    bool ready = true;  // optimistic until a call says otherwise
    std::uint32_t edges = 0;
    std::uint32_t seen = 0;
  };
  ~io_entry() = default;
  direction_state& state_of(std::uint32_t direction) noexcept;
  std::uint32_t wait_locked(std::unique_lock<spin_lock>& lock, std::uint32_t wants, steady_time until,
                            const char* what);
  [[noreturn]] void throw_second(std::unique_lock<spin_lock>& lock, const waiter& first, const char* what);

  const std::shared_ptr<io_table> table_;
  const int fd_;
  const std::uint32_t generation_;
  std::atomic<int> refs_{1};
  spin_lock lock_;
  bool watches_writable_ = false;  // changed under the table's mutex and lock_, read under either
  bool closed_ = false;            // guarded by lock_
  bool read_ended_ = false;  // guarded by lock_; the stream's end was seen: its edge does not come again
  direction_state read_;     // guarded by lock_
  direction_state write_;    // guarded by lock_
  waiter_line waiters_;      // guarded by lock_; io_waiters, no two of which want the same
};

}  // namespace weft::inline v1::detail
