#include "fiber/blocking_wait.hpp"

#include <poll.h>
#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/core/milliseconds_until.hpp>

#include "fiber/io_entry.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr auto slice = std::chrono::milliseconds(50);

/// poll(2) on one descriptor.
std::uint32_t look(int fd, std::uint32_t wants, int timeout_ms, const char* what) {
  pollfd one{fd, static_cast<short>(wants), 0};
  const int count = ::poll(&one, 1, timeout_ms);
  if (count < 0 && errno != EINTR) throw system_error(what, errno);
  if (count <= 0) return 0;
  if (fd < 0 || (one.revents & POLLNVAL) != 0) {
    throw error(errc::invalid_argument,
                std::string(what) + ": descriptor " + std::to_string(fd) + " is not open");
  }
  return static_cast<std::uint32_t>(one.revents);
}

/// Until then; in slices, so that what nobody can wake this thread for is seen, too.
int next_look(steady_time until, bool in_slices) {
  const steady_time now = steady_clock::now();
  return milliseconds_until(in_slices ? std::min(until, now + slice) : until, now);
}

}  // namespace

std::uint32_t ready_now(int fd, std::uint32_t wants, const char* what) {
  // poll(2) ignores negative numbers.
  return look(fd < 0 ? INT_MAX : fd, wants, 0, what);
}

std::uint32_t block_until_ready(int fd, std::uint32_t wants, steady_time until, const char* what,
                                io_entry* handle) {
  for (;;) {
    check_cancelled(what);
    if (handle != nullptr && handle->is_closed()) {
      throw error(errc::closed,
                  std::string(what) + ": descriptor " + std::to_string(fd) + " was closed by another task");
    }
    const bool in_slices = handle != nullptr || current_cancel_state() != nullptr;
    if (const auto ready = look(fd, wants, next_look(until, in_slices), what)) return ready;
    if (until != no_deadline && steady_clock::now() >= until) return 0;
    require_wait_allowed(what);
  }
}

}  // namespace weft::inline v1::detail
