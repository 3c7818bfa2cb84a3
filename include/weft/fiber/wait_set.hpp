#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::inline v1 {

/// Descriptors that one task waits for together, again and again: registered once, level-triggered.
///
/// Does not own them: remove() one before it is closed. An entry is as in wait_any; others may wait
/// for the same descriptors by other means. Costs one descriptor; a wait costs one or two system
/// calls, however many are in the set.
///
/// Thread-safety: one task at a time; a second one that waits gets weft::error (busy).
/// Lifetime: belongs to the run in which it is made, as an io_handle does; made outside, it blocks.
class wait_set {
 public:
  /// Throws weft::error (resource_exhausted) where there are no descriptors left.
  wait_set();
  wait_set(wait_set&&) noexcept = default;
  wait_set& operator=(wait_set&&) = delete;
  ~wait_set() = default;

  /// Throws weft::error: already_exists, invalid_argument (not open, nothing wanted), unsupported (a
  /// regular file, which never has to be waited for).
  void add(int fd, io_events wanted);
  /// Waits for something else at `fd`; throws weft::error (not_found) if it is not in the set.
  void change(int fd, io_events wanted);
  /// Calling it for a descriptor that is not in the set has no effect.
  void remove(int fd) noexcept;
  std::size_t size() const noexcept { return size_; }

  /// Waits until something holds for at least one; gives those, valid until the next call of anything
  /// here. At most `ready_max` at a time; none is starved. A cancellation point, which changes nothing.
  std::span<const watched_fd> wait() { return wait_until(no_deadline); }
  /// Empty when `until` passed first.
  std::span<const watched_fd> wait_until(steady_time until);
  template <typename Rep, typename Period>
  std::span<const watched_fd> wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }

  static constexpr std::size_t ready_max = 64;

 private:
  void look();
  unique_fd fd_;
  io_handle handle_;  // of fd_
  std::size_t size_ = 0;
  std::vector<watched_fd> ready_;
};

}  // namespace weft::inline v1
