#include "service/local_names.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <string>

#include <weft/http/header.hpp>

namespace weft::inline v1::ops::detail {

bool is_loopback(std::string_view host) noexcept {
  constexpr std::size_t bytes_max =
      INET6_ADDRSTRLEN;  // longer than any address, so that nothing is allocated
  if (host.size() > bytes_max) return false;
  if (http::same_name(host, "localhost")) return true;
  char text[bytes_max + 1] = {};
  std::copy(host.begin(), host.end(), text);
  in_addr four{};
  if (::inet_pton(AF_INET, text, &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool names_loopback(std::string_view host_field) noexcept {
  if (host_field.starts_with('[')) {
    const std::size_t end = host_field.find(']');
    return end != std::string_view::npos && is_loopback(host_field.substr(1, end - 1));
  }
  return is_loopback(host_field.substr(0, host_field.rfind(':')));
}

bool is_local(const net::endpoint& at) noexcept { return at.is_unix() || is_loopback(at.host()); }

}  // namespace weft::inline v1::ops::detail
