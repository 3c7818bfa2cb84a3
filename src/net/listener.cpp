#include <weft/net/listener.hpp>

#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/fault_point.hpp>
#include <weft/log/log.hpp>

#include "net/address.hpp"
#include "net/looked_up.hpp"

namespace weft::inline v1::net {

namespace {

using namespace std::chrono_literals;

bool out_of_resources(int errno_value) noexcept {
  return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOBUFS || errno_value == ENOMEM;
}

int accept_from(int fd) {
  if (fault_errno("weft.net.accept") != 0) return -1;
  return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// The connection failed before it was accepted; the listener is well.
bool concerns_one_connection(int errno_value) noexcept {
  switch (errno_value) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace

listener::listener(const endpoint& at, listen_options options) : listener(bind(at, options)) {}

bound_socket listener::bind(const endpoint& at, listen_options options) {
  return bound_socket(bound_socket::looked_up{at, detail::resolve(at, true)}, options);
}

stream listener::made(unique_fd accepted) const {
  io_handle io(accepted.get());
  stream peer(std::move(accepted), std::move(io), address().is_unix());
  if (!address().is_unix()) peer.set_no_delay(true);
  return peer;
}

unique_fd listener::accept_socket() {
  while (true) {
    if (!socket_) throw error(errc::closed, "listener on " + address().text() + ": it is closed");
    io_.wait_readable();
    unique_fd accepted(accept_from(socket_.fd()));
    if (accepted) {
      pause_ = 0ms;
      return accepted;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      io_.mark_not_readable();
    } else if (out_of_resources(errno)) {
      back_off(errno);
    } else if (!concerns_one_connection(errno)) {
      throw system_error("listener on " + address().text() + ": accept", errno);
    }
  }
}

void listener::back_off(int errno_value) {
  const steady_time now = steady_clock::now();
  if (now >= silent_until_) {
    silent_until_ = now + 10s;
    log::warn("net: no room for another connection; those that come wait until there is",
              {{"listener", address().text()}, {"error", std::strerror(errno_value)}});
  }
  pause_ = pause_ == 0ms ? 10ms : std::min<std::chrono::milliseconds>(pause_ * 2, 1s);
  ++back_offs_;
  closing_.wait_for(pause_);
}

void listener::close() noexcept {
  if (!socket_) return;
  closing_.set();
  io_.close();
  socket_.close();
}

}  // namespace weft::inline v1::net
