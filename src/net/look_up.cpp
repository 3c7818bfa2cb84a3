#include <netdb.h>
#include <cstring>
#include <memory>

#include <weft/core/error.hpp>
#include <weft/executor/blocking.hpp>

#include "net/address.hpp"

namespace weft::net::detail {

std::vector<address> look_up_here(const endpoint& of) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(of.port());
  const int failed = getaddrinfo(of.host().c_str(), port.c_str(), &wanted, &found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
  std::vector<address> all;
  for (const addrinfo* one = failed == 0 ? found : nullptr; one != nullptr; one = one->ai_next) {
    address& made = all.emplace_back();
    std::memcpy(&made.storage, one->ai_addr, one->ai_addrlen);
    made.bytes = one->ai_addrlen;
  }
  if (all.empty()) {
    throw error(
        failed == EAI_AGAIN ? errc::unavailable : errc::not_found,
        "look up host \"" + of.host() + "\": " + (failed != 0 ? gai_strerror(failed) : "it has no address"));
  }
  return all;
}

std::vector<address> look_up(const endpoint& of) {
  return blocking([of] { return look_up_here(of); });
}

}  // namespace weft::net::detail
