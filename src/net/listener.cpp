#include <weft/net/listener.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <weft/core/error.hpp>

#include "net/address.hpp"

namespace weft::net {

namespace {

using namespace std::chrono_literals;

std::string remedy(const endpoint& at, int errno_value) {
  if (at.is_unix()) {
    switch (errno_value) {
      case EADDRINUSE:
        return "another program listens there; stop it or take another path";
      case EACCES:
      case EPERM:
        return "the folder must be writable for this user";
      case ENOENT:
        return "make the folder first";
      default:
        return "";
    }
  }
  const std::string port = std::to_string(at.port());
  switch (errno_value) {
    case EADDRINUSE:
      return "stop the program that has it (ss -ltnp 'sport = :" + port +
             "' names it) or take another port; 0 is any free one";
    case EACCES:
      return "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); take a higher one";
    case EADDRNOTAVAIL:
      return "no interface of this machine has that address";
    default:
      return "";
  }
}

[[noreturn]] void throw_cannot_listen(const endpoint& at, int errno_value) {
  const std::string tried = "listen on " + at.text();
  const std::string advice = remedy(at, errno_value);
  if (advice.empty()) throw system_error(tried, errno_value);
  const errc code = errno_value == EADDRINUSE                       ? errc::busy
                    : errno_value == EACCES || errno_value == EPERM ? errc::refused
                                                                    : errc::unavailable;
  throw error(code, tried + ": " + std::strerror(errno_value) + "; " + advice);
}

/// A socket file that nobody listens at any more.
bool is_left_over(const endpoint& at, const detail::address& address) {
  struct stat status {};
  if (::lstat(at.path().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const unique_fd probe = detail::make_socket(AF_UNIX, "listen");
  return ::connect(probe.get(), address.get(), address.bytes) != 0 && errno == ECONNREFUSED;
}

/// 0, or the errno of what failed.
int bind_and_listen(int fd, const endpoint& at, const detail::address& address,
                    const listen_options& options) {
  const int on = 1;
  if (!at.is_unix()) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  const int off = 0;
  if (address.family() == AF_INET6 && at.host() == "*")
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (at.is_unix()) ::fchmod(fd, options.unix_mode);  // before bind: the file never has another mode
  if (::bind(fd, address.get(), address.bytes) != 0) {
    if (errno != EADDRINUSE || !at.is_unix() || at.path().front() == '@' || !is_left_over(at, address))
      return errno;
    ::unlink(at.path().c_str());
    if (::bind(fd, address.get(), address.bytes) != 0) return errno;
  }
  return ::listen(fd, options.backlog) == 0 ? 0 : errno;
}

bool out_of_resources(int errno_value) noexcept {
  return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOBUFS || errno_value == ENOMEM;
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

listener::listener(const endpoint& at, listen_options options) : address_(at) {
  int failed = 0;
  for (const detail::address& address : detail::resolve(at, true)) {
    unique_fd made(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    failed = made ? bind_and_listen(made.get(), at, address, options) : errno;
    const bool try_next = failed == EAFNOSUPPORT || failed == EADDRNOTAVAIL;  // a machine without IPv6
    if (failed != 0 && !try_next) break;
    if (failed == 0) {
      fd_ = std::move(made);
      break;
    }
  }
  if (failed != 0) throw_cannot_listen(at, failed);
  detail::address bound;
  bound.bytes = sizeof bound.storage;
  if (::getsockname(fd_.get(), bound.get(), &bound.bytes) != 0) throw_cannot_listen(at, errno);
  if (!at.is_unix()) address_ = endpoint::tcp(at.host(), detail::to_endpoint(bound).port());
  struct stat status {};
  if (at.is_unix() && ::lstat(at.path().c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
  io_ = io_handle(fd_.get());
}

stream listener::accept() {
  while (true) {
    if (!fd_) throw error(errc::closed, "listener on " + address_.text() + ": it is closed");
    io_.wait_readable();
    unique_fd accepted(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
      pause_ = 0ms;
      stream made(std::move(accepted));
      if (!address_.is_unix()) made.set_no_delay(true);
      return made;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      io_.mark_not_readable();
    } else if (out_of_resources(errno)) {
      back_off();
    } else if (!concerns_one_connection(errno)) {
      throw system_error("listener on " + address_.text() + ": accept", errno);
    }
  }
}

void listener::back_off() {
  pause_ = pause_ == 0ms ? 10ms : std::min<std::chrono::milliseconds>(pause_ * 2, 1s);
  ++back_offs_;
  closing_.wait_for(pause_);
}

void listener::close() noexcept {
  if (!fd_) return;
  closing_.set();
  io_.close();
  fd_.reset();
  struct stat status {};
  const bool has_file = address_.is_unix() && address_.path().front() != '@';
  if (has_file && ::lstat(address_.path().c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_) {
    ::unlink(address_.path().c_str());
  }
}

}  // namespace weft::net
