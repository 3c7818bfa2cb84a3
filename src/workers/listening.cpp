#include "workers/listening.hpp"

#include <cerrno>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/core/error.hpp>

#include "workers/unix_address.hpp"

namespace weft::workers::detail {

namespace {

constexpr int backlog = 128;

std::string tried_at(const net::endpoint& at) { return "workers: listen at \"" + at.text() + "\""; }

bool somebody_listens(const unix_address& where) {
  const unique_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe && ::connect(probe.get(), where.generic(), where.length) == 0;
}

// A socket file outlives a server that was killed.
void remove_stale(const unix_address& where, const std::string& tried) {
  struct stat file {};
  if (!where.is_file() || ::lstat(where.path.c_str(), &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) {
    throw error(errc::already_exists, tried + ": the file is there and is no socket; choose another path");
  }
  if (somebody_listens(where)) {
    throw error(errc::busy, tried + ": another server answers there; stop it or choose another path");
  }
  ::unlink(where.path.c_str());
}

listening_socket listen_unix(const net::endpoint& at, unsigned mode) {
  const unix_address where(at.path());
  const std::string tried = tried_at(at);
  remove_stale(where, tried);
  unique_fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The file never has wider permissions than asked for.
  const mode_t former = ::umask(0777 & ~mode);
  const bool bound = listener && ::bind(listener.get(), where.generic(), where.length) == 0;
  const int why = errno;
  ::umask(former);
  if (!bound) throw system_error(tried, why);
  if (::listen(listener.get(), backlog) != 0) throw system_error(tried, errno);
  return {std::move(listener), at};
}

struct address_list_end {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, address_list_end>;

address_list addresses_of(const net::endpoint& at, const std::string& tried) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  const bool any = at.host() == "*";
  // Of "*" the one of version 6, which takes connections of both, comes first where there is any.
  if (any) wanted.ai_family = AF_INET6;
  addrinfo* found = nullptr;
  const auto port = std::to_string(at.port());
  const int failed = ::getaddrinfo(any ? nullptr : at.host().c_str(), port.c_str(), &wanted, &found);
  if (failed != 0) throw error(errc::not_found, tried + ": " + ::gai_strerror(failed));
  return address_list(found);
}

unique_fd bind_tcp(const addrinfo& where) {
  unique_fd listener(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return listener;
  const int on = 1;
  const int off = 0;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.ai_family == AF_INET6) {
    ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  const bool listens =
      ::bind(listener.get(), where.ai_addr, where.ai_addrlen) == 0 && ::listen(listener.get(), backlog) == 0;
  if (!listens) listener.reset();
  return listener;
}

std::uint16_t port_of(const unique_fd& listener) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

listening_socket listen_tcp(const net::endpoint& at) {
  const std::string tried = tried_at(at);
  int why = 0;
  const auto all = addresses_of(at, tried);
  for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next) {
    if (auto listener = bind_tcp(*one)) {
      const auto port = port_of(listener);
      return {std::move(listener), net::endpoint::tcp(at.host(), port)};
    }
    why = errno;
  }
  if (why == EADDRINUSE) {
    throw error(errc::busy, tried + ": another program listens there; stop it or choose another port");
  }
  throw system_error(tried, why);
}

}  // namespace

listening_socket listen_at(const net::endpoint& at, unsigned mode) {
  return at.is_unix() ? listen_unix(at, mode) : listen_tcp(at);
}

}  // namespace weft::workers::detail
