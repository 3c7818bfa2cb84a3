#pragma once

#include <sys/epoll.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <weft/core/unique_fd.hpp>

#include "fiber/io_entry.hpp"

namespace weft::inline v1::detail {

/// The descriptors that are registered with one loop's epoll set.
///
/// One entry for a descriptor at a time, with an io_handle, with tasks that wait without one (guests),
/// or both. Events find it by number and generation, never by address: so one of a registration that
/// the kernel keeps for a descriptor which was closed behind our back (a copy of it is open in a
/// child) meets nobody. Whoever comes to an entry asks the kernel whether the number still means the
/// registered file (EPOLL_CTL_MOD, which also repeats the edge for him); where it does not, the old
/// entry is closed and its waiters get an error.
///
/// Locks: mutex_, then an entry's lock, never the other way round. Events are delivered under mutex_, so
/// an entry that was taken out gets none. The table outlives the poller while entries refer to it;
/// after shut() nothing is registered any more.
///
/// Thread-safety: all members, from any thread. In a forked child it refuses to register and does
/// nothing: the epoll set is the parent's as well, and a lock may be held by a thread that is not there.
class io_table : public std::enable_shared_from_this<io_table> {
 public:
  /// Makes the epoll set. Throws weft::error.
  io_table();
  io_table(const io_table&) = delete;
  io_table& operator=(const io_table&) = delete;
  ~io_table() = default;

  int epoll_fd() const noexcept { return epoll_.get(); }
  /// True in a child that was forked since the table was made.
  bool is_inherited() const noexcept;

  /// Registers `fd` for an io_handle; the caller gets a reference. Throws weft::error.
  io_entry* open(int fd);
  /// The handle is closed, and with it whoever else waits there.
  void close(io_entry& entry) noexcept;

  /// The entry of `fd`, registered now or before, for one wait of `what`; the caller gets a reference
  /// and calls leave(). Throws weft::error.
  io_entry* enter(int fd, const char* what);
  void leave(io_entry& entry) noexcept;
  /// Descriptors `first` to `last` are about to be closed by somebody else: who waits there is told so, and
  /// their registrations end with them, though a copy may live on.
  void forget(unsigned first, unsigned last) noexcept;

  /// From here on the entry gets the edges of being writable, and one at once if it is.
  void watch_writable(io_entry& entry) noexcept;

  /// Hands what epoll_wait gave to the entries it is for. True if one of the events has `bell` as data.
  bool deliver(std::span<const epoll_event> events) noexcept;
  static constexpr std::uint64_t bell = ~0ULL;  // no entry's: its lower half is no descriptor
  /// The run is over: closes all entries. Epoll's own descriptor ends with the table.
  void shut() noexcept;

  void count_waiting(int change) noexcept { waiting_.fetch_add(change, std::memory_order_relaxed); }
  std::size_t waiting() const noexcept {
    return static_cast<std::size_t>(waiting_.load(std::memory_order_relaxed));
  }

 private:
  io_entry*& slot_of(int fd);
  void deliver(const epoll_event& event) noexcept;
  io_entry* find_alive(int fd, bool may_write);
  io_entry* add(int fd, const char* what, bool may_write);
  int control(int operation, const io_entry& entry) noexcept;
  void take_out(io_entry& entry) noexcept;
  void require_own(const char* what) const;

  const unsigned forks_;  // at construction
  unique_fd epoll_;
  std::atomic<int> waiting_{0};
  std::mutex mutex_;
  std::uint32_t generation_ = 0;  // guarded by mutex_
  std::vector<io_entry*> by_fd_;  // guarded by mutex_; owns a reference of each
};

}  // namespace weft::inline v1::detail
