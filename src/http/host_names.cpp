#include <weft/http/host_names.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <cstddef>

#include <weft/http/header.hpp>

namespace weft::inline v1::http {

bool is_loopback(std::string_view host) noexcept {
  // Longer than any address, so that nothing is allocated.
  constexpr std::size_t bytes_max = INET6_ADDRSTRLEN;
  if (host.size() > bytes_max) return false;
  if (same_name(host, "localhost")) return true;
  char text[bytes_max + 1] = {};
  std::copy(host.begin(), host.end(), text);
  in_addr four{};
  if (::inet_pton(AF_INET, text, &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

std::string_view without_port(std::string_view host_field) noexcept {
  const std::size_t end = host_field.starts_with('[') ? host_field.find(']') + 1
                                                      : std::min(host_field.find(':'), host_field.size());
  if (end == 0) return {};  // a bracket that nothing closes, or no name
  const std::string_view port = host_field.substr(end);
  const bool is_port = port.empty() || (port.front() == ':' &&
                                        port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  return is_port ? host_field.substr(0, end) : std::string_view();
}

bool names_loopback(std::string_view host_field) noexcept {
  const std::string_view host = without_port(host_field);
  if (!host.starts_with('[')) return host.find(':') == std::string_view::npos && is_loopback(host);
  const std::string_view address = host.substr(1, host.size() - 2);
  return address.find(':') != std::string_view::npos && is_loopback(address);
}

bool names_loopback_or(std::span<const std::string> hosts, std::string_view host_field) noexcept {
  if (names_loopback(host_field)) return true;
  const std::string_view host = without_port(host_field);
  return !host.empty() && std::any_of(hosts.begin(), hosts.end(),
                                      [&](const std::string& one) { return same_name(one, host); });
}

bool is_local(const net::endpoint& at) noexcept { return at.is_unix() || is_loopback(at.host()); }

}  // namespace weft::inline v1::http
