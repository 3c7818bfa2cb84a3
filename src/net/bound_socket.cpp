#include <weft/net/bound_socket.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "net/address.hpp"
#include "net/looked_up.hpp"

namespace weft::inline v1::net {

namespace {

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
  if (at.is_unix()) ::fchmod(fd, options.unix_mode);  // before bind: the file never has a wider mode
  if (::bind(fd, address.get(), address.bytes) != 0) {
    if (errno != EADDRINUSE || !at.is_unix() || at.path().front() == '@' || !is_left_over(at, address))
      return errno;
    ::unlink(at.path().c_str());
    if (::bind(fd, address.get(), address.bytes) != 0) return errno;
  }
  // The umask may have taken some of it away.
  if (at.is_unix() && at.path().front() != '@') ::chmod(at.path().c_str(), options.unix_mode);
  return ::listen(fd, options.backlog) == 0 ? 0 : errno;
}

}  // namespace

bound_socket::bound_socket(const endpoint& at, const listen_options& options)
    : bound_socket(looked_up{at, detail::resolve_here(at, true)}, options) {}

bound_socket::bound_socket(const looked_up& where, const listen_options& options) : address_(where.at) {
  int failed = 0;
  for (const detail::address& address : where.addresses) {
    unique_fd made(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    failed = made ? bind_and_listen(made.get(), address_, address, options) : errno;
    const bool try_next = failed == EAFNOSUPPORT || failed == EADDRNOTAVAIL;  // a machine without IPv6
    if (failed != 0 && !try_next) break;
    if (failed == 0) {
      fd_ = std::move(made);
      break;
    }
  }
  if (failed != 0) throw_cannot_listen(address_, failed);
  learn_address();
}

bound_socket bound_socket::adopt(unique_fd socket, const endpoint& at) {
  bound_socket made;
  made.address_ = at;
  made.fd_ = std::move(socket);
  made.learn_address();
  return made;
}

bound_socket bound_socket::share() const {
  bound_socket made;
  made.address_ = address_;
  made.fd_.reset(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!made.fd_) throw system_error("listen on " + address_.text() + ": another descriptor", errno);
  return made;
}

void bound_socket::learn_address() {
  detail::address bound;
  bound.bytes = sizeof bound.storage;
  if (::getsockname(fd_.get(), bound.get(), &bound.bytes) != 0) throw_cannot_listen(address_, errno);
  if (!address_.is_unix()) address_ = endpoint::tcp(address_.host(), detail::to_endpoint(bound).port());
  struct stat status {};
  if (address_.is_unix() && ::lstat(address_.path().c_str(), &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  }
}

bound_socket& bound_socket::operator=(bound_socket&& other) noexcept {
  if (this == &other) return *this;
  close();
  address_ = std::move(other.address_);
  fd_ = std::move(other.fd_);
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

void bound_socket::close() noexcept {
  if (!fd_) return;
  fd_.reset();
  struct stat status {};
  const bool has_file = address_.is_unix() && address_.path().front() != '@';
  if (has_file && ::lstat(address_.path().c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_) {
    ::unlink(address_.path().c_str());
  }
}

}  // namespace weft::inline v1::net
