#include "workers/captured_output.hpp"

#include <cerrno>
#include <climits>
#include <new>

#include <poll.h>
#include <unistd.h>

#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

namespace {

// A pipe that is ready takes so much without waiting.
constexpr std::size_t pipe_piece_bytes = PIPE_BUF;
// A worker that writes without end must not keep the server from its other work.
constexpr int pieces_at_once = 16;

void pass_on(const char* bytes, std::size_t count) noexcept {
  pollfd ours{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ours, 1, 0) == 1 && (ours.revents & POLLOUT) != 0) {
    [[maybe_unused]] const auto put = ::write(STDERR_FILENO, bytes, count);
  }
}

}  // namespace

captured_output::captured_output(unique_fd reader) : reader_(std::move(reader)) {
  process::set_nonblocking(reader_.get(), true);
}

bool captured_output::take() noexcept {
  char piece[pipe_piece_bytes];
  for (int i = 0; i < pieces_at_once; ++i) {
    const ssize_t got = ::read(reader_.get(), piece, sizeof piece);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got < 0) return true;
    pass_on(piece, static_cast<std::size_t>(got));
    keep(piece, static_cast<std::size_t>(got));
  }
  return true;
}

void captured_output::keep(const char* bytes, std::size_t count) {
  try {
    tail_.append(bytes, count);
    if (tail_.size() > kept_bytes_max) tail_.erase(0, tail_.size() - kept_bytes_max);
  } catch (const std::bad_alloc&) {
    tail_.clear();
  }
}

}  // namespace weft::inline v1::workers::detail
