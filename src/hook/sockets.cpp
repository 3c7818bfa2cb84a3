#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstring>

#include "hook/io_calls.hpp"

// A blocking socket keeps its flags, which others who share it may see: each call says that it does not want
// to block. Only connect has no flag for that.

namespace weft::inline v1::hook {
namespace {

bool is_stream(int fd) noexcept {
  int type = 0;
  socklen_t bytes = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM;
}

/// A header for the rest of a message: its control data and address went with the beginning.
msghdr header_of(iovec* parts, int count) noexcept {
  msghdr made{};
  made.msg_iov = parts;
  made.msg_iovlen = static_cast<std::size_t>(count);
  return made;
}

/// MSG_WAITALL after a part has come.
ssize_t receive_rest(const engine& of, int fd, const msghdr& message, int flags, ssize_t first) noexcept {
  pieces rest(message.msg_iov, message.msg_iovlen);
  rest.skip(static_cast<std::size_t>(first));
  ssize_t sum = first;
  while (!rest.empty()) {
    iovec parts[pieces::part_max];
    msghdr next = header_of(parts, rest.part(parts, SIZE_MAX));
    const ssize_t came = until_done(
        of, fd, POLLIN, SO_RCVTIMEO, "recv", [&] { return real::recvmsg(fd, &next, flags | MSG_DONTWAIT); },
        [&] { return real::recvmsg(fd, &next, flags); });
    if (came <= 0) break;
    sum += came;
    rest.skip(static_cast<std::size_t>(came));
  }
  return sum;
}

/// A blocking stream takes all, or as much as it could before an error.
ssize_t transmit_rest(const engine& of, int fd, const msghdr& message, int flags, ssize_t first) noexcept {
  pieces rest(message.msg_iov, message.msg_iovlen);
  rest.skip(static_cast<std::size_t>(first));
  ssize_t sum = first;
  while (!rest.empty()) {
    iovec parts[pieces::part_max];
    const msghdr next = header_of(parts, rest.part(parts, SIZE_MAX));
    const ssize_t went = until_done(
        of, fd, POLLOUT, SO_SNDTIMEO, "send", [&] { return real::sendmsg(fd, &next, flags | MSG_DONTWAIT); },
        [&] { return real::sendmsg(fd, &next, flags); });
    if (went < 0) break;
    sum += went;
    rest.skip(static_cast<std::size_t>(went));
  }
  return sum;
}

/// What connect needs where another thread has to wait for it.
struct connect_elsewhere {
  int fd;
  sockaddr_storage to;
  socklen_t to_bytes;
  int failed;
};

/// A Unix socket whose peer's backlog is full says EAGAIN, and no poll tells when there is room.
int connect_on_thread(const engine& of, int fd, const sockaddr* to, socklen_t to_bytes) noexcept {
  connect_elsewhere asked{fd, {}, to_bytes, 0};
  std::memcpy(&asked.to, to, to_bytes < sizeof asked.to ? to_bytes : sizeof asked.to);
  const auto work = [](void* argument) {
    auto& call = *static_cast<connect_elsewhere*>(argument);
    const int result = real::connect(call.fd, reinterpret_cast<const sockaddr*>(&call.to), call.to_bytes);
    call.failed = result == 0 ? 0 : errno;
  };
  if (of.run_blocking(work, &asked) != 0) return real::connect(fd, to, to_bytes);
  if (asked.failed == 0) return 0;
  errno = asked.failed;
  return -1;
}

int result_of_connecting(int fd) noexcept {
  int failed = 0;
  socklen_t bytes = sizeof failed;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) != 0) return -1;
  if (failed == 0) return 0;
  errno = failed;
  return -1;
}

}  // namespace

ssize_t receive(const engine& of, int fd, msghdr* message, int flags) noexcept {
  constexpr int never_waits = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB;
  const bool wants_all = (flags & MSG_WAITALL) != 0;
  // A peek at all of it would be woken by the part that is there, over and over.
  if ((flags & never_waits) != 0 || (wants_all && (flags & MSG_PEEK) != 0))
    return real::recvmsg(fd, message, flags);
  const ssize_t came = until_done(
      of, fd, POLLIN, SO_RCVTIMEO, "recv", [&] { return real::recvmsg(fd, message, flags | MSG_DONTWAIT); },
      [&] { return real::recvmsg(fd, message, flags); });
  if (!wants_all || came <= 0 || !is_stream(fd) || is_nonblocking(fd)) return came;
  const errno_before before;
  return before.keep(receive_rest(of, fd, *message, flags, came));
}

ssize_t transmit(const engine& of, int fd, const msghdr& message, int flags) noexcept {
  if ((flags & MSG_DONTWAIT) != 0) return real::sendmsg(fd, &message, flags);
  const ssize_t went = until_done(
      of, fd, POLLOUT, SO_SNDTIMEO, "send", [&] { return real::sendmsg(fd, &message, flags | MSG_DONTWAIT); },
      [&] { return real::sendmsg(fd, &message, flags); });
  if (went < 0) return went;
  const errno_before before;
  const auto sent = static_cast<std::size_t>(went);
  if (pieces(message.msg_iov, message.msg_iovlen).bytes() <= sent || is_nonblocking(fd))
    return before.keep(went);
  return before.keep(transmit_rest(of, fd, message, flags, went));
}

ssize_t receive_into(const engine& of, int fd, void* into, std::size_t bytes, int flags) noexcept {
  iovec all{into, bytes};
  msghdr message = header_of(&all, 1);
  return receive(of, fd, &message, flags);
}

ssize_t receive_from(const engine& of, int fd, void* into, std::size_t bytes, int flags, sockaddr* from,
                     socklen_t* from_bytes) noexcept {
  iovec all{into, bytes};
  msghdr message = header_of(&all, 1);
  const bool asks = from != nullptr && from_bytes != nullptr;
  if (asks) {
    message.msg_name = from;
    message.msg_namelen = *from_bytes;
  }
  const ssize_t came = receive(of, fd, &message, flags);
  if (asks && came >= 0) *from_bytes = message.msg_namelen;
  return came;
}

ssize_t transmit_from(const engine& of, int fd, const void* from, std::size_t bytes, int flags,
                      const sockaddr* to, socklen_t to_bytes) noexcept {
  iovec all{const_cast<void*>(from), bytes};
  msghdr message = header_of(&all, 1);
  message.msg_name = const_cast<sockaddr*>(to);
  message.msg_namelen = to_bytes;
  return transmit(of, fd, message, flags);
}

int take_connection(const engine& of, int fd, sockaddr* from, socklen_t* from_bytes, int flags) noexcept {
  const auto block = [&]() -> ssize_t {
    return flags == 0 ? real::accept(fd, from, from_bytes) : real::accept4(fd, from, from_bytes, flags);
  };
  const auto attempt = [&]() -> ssize_t {
    pollfd one{fd, POLLIN, 0};
    if (real::poll(&one, 1, 0) != 0) return block();
    errno = EAGAIN;
    return -1;
  };
  return static_cast<int>(until_done(of, fd, POLLIN, SO_RCVTIMEO, "accept", attempt, block));
}

int make_connection(const engine& of, int fd, const sockaddr* to, socklen_t to_bytes) noexcept {
  const errno_before before;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return real::connect(fd, to, to_bytes);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  const int at_once = real::connect(fd, to, to_bytes);
  const int failed = errno;
  fcntl(fd, F_SETFL, flags);
  errno = failed;
  if (at_once == 0) return before.keep(0);
  if (failed == EAGAIN && to_bytes >= sizeof to->sa_family && to->sa_family == AF_UNIX) {
    return before.keep(connect_on_thread(of, fd, to, to_bytes));
  }
  if (failed != EINPROGRESS) return -1;
  switch (wait_at(of, fd, POLLOUT, bound_of(of, fd, SO_SNDTIMEO), "connect")) {
    case waited::ready:
      return before.keep(result_of_connecting(fd));
    case waited::bound_over:
      errno = EINPROGRESS;  // as the kernel says it
      return -1;
    case waited::failed:
      return -1;
    case waited::cannot:
      break;
  }
  pollfd one{fd, POLLOUT, 0};
  while (real::poll(&one, 1, -1) < 0 && errno == EINTR) {
  }
  return before.keep(result_of_connecting(fd));
}

}  // namespace weft::inline v1::hook
