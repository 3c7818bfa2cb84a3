#include "net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <weft/core/error.hpp>

namespace weft::inline v1::net::detail {

namespace {

address unix_address(const std::string& path) {
  address made;
  auto* const as_unix = reinterpret_cast<sockaddr_un*>(&made.storage);
  as_unix->sun_family = AF_UNIX;
  std::memcpy(as_unix->sun_path, path.data(), path.size());
  made.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (path.front() == '@') {
    as_unix->sun_path[0] = '\0';  // an abstract name is as long as said
  } else {
    ++made.bytes;
  }
  return made;
}

address v4_address(in_addr host, std::uint16_t port) {
  address made;
  auto* const as_v4 = reinterpret_cast<sockaddr_in*>(&made.storage);
  as_v4->sin_family = AF_INET;
  as_v4->sin_addr = host;
  as_v4->sin_port = htons(port);
  made.bytes = sizeof(sockaddr_in);
  return made;
}

address v6_address(const in6_addr& host, std::uint16_t port) {
  address made;
  auto* const as_v6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
  as_v6->sin6_family = AF_INET6;
  as_v6->sin6_addr = host;
  as_v6->sin6_port = htons(port);
  made.bytes = sizeof(sockaddr_in6);
  return made;
}

// Empty for a name.
std::vector<address> known_addresses(const endpoint& of, bool listens) {
  if (of.is_unix()) return {unix_address(of.path())};
  if (listens && of.host() == "*") {
    in_addr any{};
    any.s_addr = htonl(INADDR_ANY);
    return {v6_address(in6addr_any, of.port()), v4_address(any, of.port())};
  }
  in_addr v4{};
  if (inet_pton(AF_INET, of.host().c_str(), &v4) == 1) return {v4_address(v4, of.port())};
  in6_addr v6{};
  if (inet_pton(AF_INET6, of.host().c_str(), &v6) == 1) return {v6_address(v6, of.port())};
  return {};
}

}  // namespace

// In look_up.cpp.
std::vector<address> look_up(const endpoint& of, steady_time until);
std::vector<address> look_up_here(const endpoint& of);

std::vector<address> resolve(const endpoint& of, bool listens, steady_time until) {
  auto known = known_addresses(of, listens);
  return known.empty() ? look_up(of, until) : known;
}

std::vector<address> resolve_here(const endpoint& of, bool listens) {
  auto known = known_addresses(of, listens);
  return known.empty() ? look_up_here(of) : known;
}

endpoint to_endpoint(const address& from) {
  char text[INET6_ADDRSTRLEN] = "";
  if (from.family() == AF_INET) {
    const auto* const as_v4 = reinterpret_cast<const sockaddr_in*>(&from.storage);
    inet_ntop(AF_INET, &as_v4->sin_addr, text, sizeof text);
    return endpoint::tcp(text, ntohs(as_v4->sin_port));
  }
  if (from.family() == AF_INET6) {
    const auto* const as_v6 = reinterpret_cast<const sockaddr_in6*>(&from.storage);
    inet_ntop(AF_INET6, &as_v6->sin6_addr, text, sizeof text);
    return endpoint::tcp(text, ntohs(as_v6->sin6_port));
  }
  const auto* const as_unix = reinterpret_cast<const sockaddr_un*>(&from.storage);
  const std::size_t bytes =
      from.bytes > offsetof(sockaddr_un, sun_path) ? from.bytes - offsetof(sockaddr_un, sun_path) : 0;
  if (bytes == 0) return endpoint::unix_socket("@");  // an unnamed peer
  std::string path(as_unix->sun_path, bytes);
  if (path.front() == '\0') {
    path.front() = '@';
  } else {
    path.resize(std::strlen(path.c_str()));
  }
  return endpoint::unix_socket(std::move(path));
}

unique_fd make_socket(int family, const char* tried) {
  unique_fd made(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) throw system_error(std::string(tried) + ": make a socket", errno);
  return made;
}

}  // namespace weft::inline v1::net::detail
