#include <netdb.h>
#include <netinet/in.h>
#include <cstring>
#include <memory>

#include <weft/core/error.hpp>
#include <weft/net/resolver.hpp>

#include "net/address.hpp"
#include "net/name_cache.hpp"

namespace weft::inline v1::net {

namespace detail {
namespace {

std::vector<address> ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, [](addrinfo* list) {
    if (list != nullptr) freeaddrinfo(list);
  });
  std::vector<address> all;
  for (const addrinfo* one = failed == 0 ? found : nullptr; one != nullptr; one = one->ai_next) {
    address& made = all.emplace_back();
    std::memcpy(&made.storage, one->ai_addr, one->ai_addrlen);
    made.bytes = one->ai_addrlen;
  }
  if (all.empty()) {
    throw error(
        failed == EAI_AGAIN ? errc::unavailable : errc::not_found,
        "look up host \"" + host + "\": " + (failed != 0 ? gai_strerror(failed) : "it has no address"));
  }
  return all;
}

std::vector<address> with_port(std::vector<address> all, std::uint16_t port) {
  for (address& one : all) {
    auto& storage = one.storage;
    (one.family() == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                              : reinterpret_cast<sockaddr_in&>(storage).sin_port) = htons(port);
  }
  return all;
}

/// That of the process. It never ends, as threads may be at it when the program does.
name_cache& names() {
  static const auto* const made =
      new std::shared_ptr<name_cache>(std::make_shared<name_cache>(ask_system, resolver_options{}));
  return **made;
}

}  // namespace

std::vector<address> look_up_here(const endpoint& of) { return with_port(ask_system(of.host()), of.port()); }

std::vector<address> look_up(const endpoint& of, steady_time until) {
  return with_port(names().find(of.host(), until), of.port());
}

}  // namespace detail

std::vector<endpoint> look_up(const endpoint& of, steady_time until) {
  std::vector<endpoint> all;
  for (const detail::address& one : detail::resolve(of, false, until))
    all.push_back(detail::to_endpoint(one));
  return all;
}

void set_resolver_options(const resolver_options& options) { detail::names().set_options(options); }
resolver_statistics get_resolver_statistics() { return detail::names().statistics(); }
void forget_names() { detail::names().forget(); }

}  // namespace weft::inline v1::net
