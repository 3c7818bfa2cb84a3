#include <limits.h>
#include <sys/stat.h>

#include "hook/io_calls.hpp"

// read and write: of sockets as recv and send; of anything else after a look whether it is ready. A regular
// file always is. Where a second reader, in another thread or process, is faster than ours, the call blocks
// the thread; the kernel offers nothing against that for pipes.

namespace weft::inline v1::hook {
namespace {

bool is_ready(int fd, short events) noexcept {
  pollfd one{fd, events, 0};
  return real::poll(&one, 1, 0) != 0;
}

ssize_t would_block() noexcept {
  errno = EAGAIN;
  return -1;
}

ssize_t read_other(const engine& of, int fd, const iovec* into, int count) noexcept {
  const auto block = [&] {
    return count == 1 ? real::read(fd, into->iov_base, into->iov_len) : real::readv(fd, into, count);
  };
  return until_done(
      of, fd, POLLIN, SO_RCVTIMEO, "read", [&] { return is_ready(fd, POLLIN) ? block() : would_block(); },
      block);
}

ssize_t write_at_once(int fd, const iovec* from, int count) noexcept {
  return count == 1 ? real::write(fd, from->iov_base, from->iov_len) : real::writev(fd, from, count);
}

ssize_t write_when_ready(const engine& of, int fd, const iovec* from, int count) noexcept {
  return until_done(
      of, fd, POLLOUT, SO_SNDTIMEO, "write",
      [&] { return is_ready(fd, POLLOUT) ? write_at_once(fd, from, count) : would_block(); },
      [&] { return write_at_once(fd, from, count); });
}

bool is_blocking_pipe(int fd) noexcept {
  struct stat about {};
  return fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode) && !is_nonblocking(fd);
}

ssize_t write_other(const engine& of, int fd, const iovec* from, int count) noexcept {
  pieces rest(from, static_cast<std::size_t>(count));
  if (rest.bytes() <= PIPE_BUF || !is_blocking_pipe(fd)) return write_when_ready(of, fd, from, count);
  // A pipe that says it is ready has room for PIPE_BUF bytes, and a longer write is not in one piece anyhow.
  ssize_t sum = 0;
  while (!rest.empty()) {
    iovec parts[pieces::part_max];
    const ssize_t went = write_when_ready(of, fd, parts, rest.part(parts, PIPE_BUF));
    if (went < 0) return sum > 0 ? sum : went;
    sum += went;
    rest.skip(static_cast<std::size_t>(went));
  }
  return sum;
}

bool is_socket(int fd) noexcept {
  int type = 0;
  socklen_t bytes = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0;
}

}  // namespace

ssize_t read_vector(by_kind of, int fd, const iovec* into, int count) noexcept {
  const errno_before before;
  const auto plainly = [&] {
    return count == 1 ? real::read(fd, into->iov_base, into->iov_len) : real::readv(fd, into, count);
  };
  if (count < 1 || count > IOV_MAX || pieces(into, static_cast<std::size_t>(count)).bytes() == 0)
    return plainly();
  if (of.socket != nullptr) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(into);
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t came = receive(*of.socket, fd, &message, 0);
    if (came >= 0 || errno != ENOTSOCK) return came;
  }
  if (of.other == nullptr || (of.socket == nullptr && is_socket(fd))) return plainly();
  return before.keep(read_other(*of.other, fd, into, count));
}

ssize_t write_vector(by_kind of, int fd, const iovec* from, int count) noexcept {
  const errno_before before;
  if (count < 1 || count > IOV_MAX) return write_at_once(fd, from, count);
  if (of.socket != nullptr) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from);
    message.msg_iovlen = static_cast<std::size_t>(count);
    const ssize_t went = transmit(*of.socket, fd, message, 0);
    if (went >= 0 || errno != ENOTSOCK) return went;
  }
  if (of.other == nullptr || (of.socket == nullptr && is_socket(fd))) return write_at_once(fd, from, count);
  return before.keep(write_other(*of.other, fd, from, count));
}

}  // namespace weft::inline v1::hook
