#include <weft/process/pipe.hpp>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::process {

namespace {

constexpr std::size_t piece_bytes = 4096;  // on the stack of a fiber

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

void require_open(const unique_fd& fd, const char* what) {
  if (!fd) throw error(errc::closed, std::string("process: ") + what + ": the pipe is closed at this end");
}

}  // namespace

pipe_reader::pipe_reader(unique_fd fd) : fd_(std::move(fd)) {
  set_nonblocking(fd_.get(), true);
  io_ = io_handle(fd_.get());
}

pipe_reader& pipe_reader::operator=(pipe_reader&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    io_ = std::move(other.io_);
    pending_ = std::move(other.pending_);
  }
  return *this;
}

void pipe_reader::close() noexcept {
  io_.close();
  fd_.reset();
}

std::size_t pipe_reader::take_pending(std::span<char> into) noexcept {
  const std::size_t count = std::min(into.size(), pending_.size());
  std::copy_n(pending_.begin(), count, into.begin());
  pending_.erase(0, count);
  return count;
}

std::size_t pipe_reader::read_some(std::span<char> into) { return *read_some_until(into, no_deadline); }

std::optional<std::size_t> pipe_reader::read_some_until(std::span<char> into, steady_time until) {
  return pending_.empty() ? read_pipe(into, until) : take_pending(into);
}

std::optional<std::size_t> pipe_reader::read_pipe(std::span<char> into, steady_time until) {
  require_open(fd_, "read from a pipe");
  while (io_.wait_readable_until(until)) {
    const ssize_t count = ::read(fd_.get(), into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block()) {
      io_.mark_not_readable();
    } else if (errno != EINTR) {
      throw system_error("process: read from a pipe", errno);
    }
  }
  return std::nullopt;
}

std::optional<std::string> pipe_reader::read_line() {
  std::array<char, piece_bytes> piece;
  for (std::size_t seen = 0;;) {
    const std::size_t end = pending_.find('\n', seen);
    if (end != std::string::npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    seen = pending_.size();
    if (seen > line_bytes_max) {
      throw error(errc::too_large, "process: read a line from a pipe: it has more than " +
                                       std::to_string(line_bytes_max) + " bytes; read it in pieces");
    }
    const std::size_t count = *read_pipe(piece, no_deadline);
    pending_.append(piece.data(), count);
    if (count > 0) continue;
    if (pending_.empty()) return std::nullopt;
    return std::exchange(pending_, {});
  }
}

std::string pipe_reader::read_all(std::size_t bytes_max) {
  std::string all;
  std::array<char, piece_bytes> piece;
  while (const std::size_t count = read_some(piece)) {
    all.append(piece.data(), count);
    if (all.size() <= bytes_max) continue;
    throw error(errc::too_large,
                "process: read all of a pipe: there are more than " + std::to_string(bytes_max) + " bytes");
  }
  return all;
}

pipe_writer::pipe_writer(unique_fd fd) : fd_(std::move(fd)) {
  set_nonblocking(fd_.get(), true);
  io_ = io_handle(fd_.get());
}

pipe_writer& pipe_writer::operator=(pipe_writer&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    io_ = std::move(other.io_);
  }
  return *this;
}

void pipe_writer::close() noexcept {
  io_.close();
  fd_.reset();
}

bool pipe_writer::write_all(std::string_view text) {
  require_open(fd_, "write to a pipe");
  while (!text.empty()) {
    io_.wait_writable();
    const long count = write_without_signal(fd_.get(), text);
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EPIPE) {
      return false;
    } else if (would_block()) {
      io_.mark_not_writable();
    } else if (errno != EINTR) {
      throw system_error("process: write to a pipe", errno);
    }
  }
  return true;
}

// A write raises SIGPIPE in its own thread. Blocked meanwhile, it is taken back, unless one was
// pending before.
long write_without_signal(int fd, std::string_view bytes) noexcept {
  sigset_t pipe_only;
  sigset_t pending;
  sigset_t former;
  ::sigemptyset(&pipe_only);
  ::sigaddset(&pipe_only, SIGPIPE);
  ::sigpending(&pending);
  ::pthread_sigmask(SIG_BLOCK, &pipe_only, &former);
  const long count = ::write(fd, bytes.data(), bytes.size());
  const int why = errno;
  if (count < 0 && why == EPIPE && ::sigismember(&pending, SIGPIPE) == 0) {
    const timespec at_once{};
    while (::sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  errno = why;
  return count;
}

}  // namespace weft::inline v1::process
