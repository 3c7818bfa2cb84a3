#pragma once

#include <sys/types.h>
#include <cerrno>
#include <cstddef>
#include <optional>

#include <weft/core/clock.hpp>
#include <weft/core/task_block.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::inline v1::net::detail {

inline bool would_block(int errno_value) noexcept {
  return errno_value == EAGAIN || errno_value == EWOULDBLOCK;
}

/// Throws weft::error: unavailable where the peer is gone.
[[noreturn]] void throw_io(const char* tried, int errno_value);

/// Marks a direction as in use for as long as it lives, which is within a call of the task that uses it.
/// Throws weft::error: closed where there is no descriptor, busy where another task is there.
class direction_guard {
 public:
  direction_guard(weft::detail::task_block*& user, const unique_fd& fd, const char* tried);
  direction_guard(const direction_guard&) = delete;
  direction_guard& operator=(const direction_guard&) = delete;
  ~direction_guard() { user_ = nullptr; }

 private:
  weft::detail::task_block*& user_;
};

/// After a system call said -1: marks the direction where it would block, throws for a failure.
void retry_or_throw(io_handle& io, bool reads, const char* tried);

/// Waits for the direction and makes the call, until it gives something else than "it would block". Nothing
/// when `until` passed.
template <typename Call>
std::optional<std::size_t> when_readable(io_handle& io, steady_time until, const char* tried, Call&& call) {
  while (io.wait_readable_until(until)) {
    const ssize_t count = call();
    if (count >= 0) return static_cast<std::size_t>(count);
    retry_or_throw(io, true, tried);
  }
  return std::nullopt;
}
template <typename Call>
std::optional<std::size_t> when_writable(io_handle& io, steady_time until, const char* tried, Call&& call) {
  while (io.wait_writable_until(until)) {
    const ssize_t count = call();
    if (count >= 0) return static_cast<std::size_t>(count);
    retry_or_throw(io, false, tried);
  }
  return std::nullopt;
}

/// No SIGPIPE reaches this thread while it lives: for calls that have no flag against it. No waits inside.
class no_sigpipe {
 public:
  no_sigpipe() noexcept;
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;
  ~no_sigpipe();

 private:
  bool was_pending_;
  bool was_blocked_;
};

}  // namespace weft::inline v1::net::detail
