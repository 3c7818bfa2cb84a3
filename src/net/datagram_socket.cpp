#include <weft/net/datagram_socket.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cerrno>
#include <cstring>
#include <string>

#include <weft/core/error.hpp>

#include "net/address.hpp"
#include "net/socket_io.hpp"

namespace weft::inline v1::net {

namespace {

constexpr const char* receives = "datagram_socket: receive";
constexpr const char* sends = "datagram_socket: send";

[[noreturn]] void throw_failed(const std::string& tried, int errno_value) {
  if (errno_value == EMSGSIZE)
    throw error(errc::too_large, tried + ": it is larger than the socket can send");
  throw system_error(tried, errno_value);
}

/// The kernel says that such a socket can be written though its receiver is full, so there is nothing to wait
/// for.
[[noreturn]] void throw_receiver_full(const std::string& tried) {
  throw error(errc::resource_exhausted,
              tried + ": the receiver does not keep up; a socket that is connected to it waits for room");
}

unique_fd make(int family, const std::string& tried) {
  unique_fd made(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) throw system_error(tried + ": make a socket", errno);
  return made;
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// 0, or the errno of what failed.
int bind_at(int fd, const endpoint& at, const detail::address& address, const datagram_options& options) {
  if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (options.broadcast) set_option(fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (address.family() == AF_INET6 && at.host() == "*") set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (at.is_unix()) ::fchmod(fd, options.unix_mode);  // before bind: the file never has a wider mode
  return ::bind(fd, address.get(), address.bytes) == 0 ? 0 : errno;
}

/// Linux gives a Unix socket that is bound to nothing a free abstract name.
int bind_to_any_name(int fd) {
  sockaddr any{};
  any.sa_family = AF_UNIX;
  return ::bind(fd, &any, sizeof any.sa_family) == 0 ? 0 : errno;
}

}  // namespace

datagram_socket& datagram_socket::operator=(datagram_socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    io_ = std::move(other.io_);
  }
  return *this;
}

datagram_socket datagram_socket::bind(const endpoint& at, const datagram_options& options) {
  const std::string tried = "datagram_socket: bind to " + at.text();
  int failed = 0;
  for (const detail::address& address : detail::resolve(at, true)) {
    unique_fd made(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    failed = made ? bind_at(made.get(), at, address, options) : errno;
    if (failed == 0) return datagram_socket(std::move(made));
    if (failed != EAFNOSUPPORT && failed != EADDRNOTAVAIL) break;  // else a machine without IPv6
  }
  throw_failed(tried, failed);
}

datagram_socket datagram_socket::connect(const endpoint& to, steady_time until) {
  const std::string tried = "datagram_socket: connect to " + to.text();
  int failed = 0;
  for (const detail::address& address : detail::resolve(to, false, until)) {
    unique_fd made = make(address.family(), tried);
    failed = to.is_unix() ? bind_to_any_name(made.get()) : 0;
    if (failed == 0 && ::connect(made.get(), address.get(), address.bytes) != 0) failed = errno;
    if (failed == 0) return datagram_socket(std::move(made));
  }
  if (failed == ENOENT) throw error(errc::unavailable, tried + ": there is no such socket");
  throw_failed(tried, failed);
}

std::optional<datagram> datagram_socket::receive_from_until(std::span<char> into, steady_time until) {
  const detail::direction_guard reading(reader_, fd_, receives);
  iovec part{into.data(), into.size()};
  detail::address from;
  msghdr header{};
  const auto count = detail::when_readable(io_, until, receives, [&] {
    header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_name = from.get();
    header.msg_namelen = sizeof from.storage;
    return ::recvmsg(fd(), &header, 0);
  });
  if (!count) return std::nullopt;
  from.bytes = header.msg_namelen;
  return datagram{*count, (header.msg_flags & MSG_TRUNC) != 0, detail::to_endpoint(from)};
}

bool datagram_socket::send_to_until(std::string_view bytes, const endpoint& to, steady_time until) {
  const std::string tried = "datagram_socket: send to " + to.text();
  const detail::direction_guard writing(writer_, fd_, sends);
  const detail::address address = detail::resolve(to, false, until).front();
  while (io_.wait_writable_until(until)) {
    if (::sendto(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address.get(), address.bytes) >= 0)
      return true;
    if (errno == ENOENT) throw error(errc::unavailable, tried + ": there is no such socket");
    if (errno == EMSGSIZE) throw_failed(tried, errno);
    if (to.is_unix() && detail::would_block(errno)) throw_receiver_full(tried);
    detail::retry_or_throw(io_, false, tried.c_str());
  }
  return false;
}

bool datagram_socket::send_until(std::string_view bytes, steady_time until) {
  const detail::direction_guard writing(writer_, fd_, sends);
  while (io_.wait_writable_until(until)) {
    if (::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EMSGSIZE) throw_failed(sends, errno);
    detail::retry_or_throw(io_, false, sends);
  }
  return false;
}

void datagram_socket::close() noexcept {
  io_.close();
  fd_.reset();
}

endpoint datagram_socket::local_address() const {
  detail::address address;
  address.bytes = sizeof address.storage;
  if (::getsockname(fd(), address.get(), &address.bytes) != 0)
    throw system_error("datagram_socket: own address", errno);
  return detail::to_endpoint(address);
}

}  // namespace weft::inline v1::net
