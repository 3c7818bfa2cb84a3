#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <algorithm>
#include <cerrno>
#include <climits>

#include <weft/core/error.hpp>
#include <weft/net/stream.hpp>

#include "net/address.hpp"

namespace weft::inline v1::net {

namespace {

void set_option(int fd, int level, int name, int value, const char* tried) {
  if (::setsockopt(fd, level, name, &value, sizeof value) != 0) throw system_error(tried, errno);
}

template <typename Number>
int in_range(Number value) noexcept {
  return static_cast<int>(std::min<Number>(value, INT_MAX));
}

}  // namespace

endpoint stream::local_address() const {
  detail::address address;
  address.bytes = sizeof address.storage;
  if (::getsockname(fd_.get(), address.get(), &address.bytes) != 0)
    throw system_error("stream: own address", errno);
  return detail::to_endpoint(address);
}

endpoint stream::peer_address() const {
  detail::address address;
  address.bytes = sizeof address.storage;
  if (::getpeername(fd_.get(), address.get(), &address.bytes) != 0)
    throw system_error("stream: peer's address", errno);
  return detail::to_endpoint(address);
}

void stream::set_no_delay(bool on) noexcept {
  const int value = on ? 1 : 0;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

void stream::set_keep_alive(const std::optional<keep_alive>& how) {
  constexpr const char* tried = "stream: set keep-alive";
  if (how) {
    set_option(fd(), IPPROTO_TCP, TCP_KEEPIDLE, in_range(how->idle.count()), tried);
    set_option(fd(), IPPROTO_TCP, TCP_KEEPINTVL, in_range(how->interval.count()), tried);
    set_option(fd(), IPPROTO_TCP, TCP_KEEPCNT, how->probes, tried);
  }
  set_option(fd(), SOL_SOCKET, SO_KEEPALIVE, how ? 1 : 0, tried);
}

void stream::set_user_timeout(std::chrono::milliseconds bound) {
  set_option(fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, in_range(bound.count()), "stream: set the user timeout");
}

// The kernel doubles what it is told, for its own bookkeeping.
void stream::set_send_buffer(std::size_t bytes) {
  set_option(fd(), SOL_SOCKET, SO_SNDBUF, in_range(bytes), "stream: set the send buffer");
}

void stream::set_receive_buffer(std::size_t bytes) {
  set_option(fd(), SOL_SOCKET, SO_RCVBUF, in_range(bytes), "stream: set the receive buffer");
}

}  // namespace weft::inline v1::net
