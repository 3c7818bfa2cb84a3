#include <weft/net/endpoint.hpp>

#include <sys/un.h>
#include <charconv>

#include <weft/core/error.hpp>

namespace weft::inline v1::net {

namespace {

[[noreturn]] void throw_bad(std::string_view text, const char* why) {
  throw error(errc::invalid_argument, "endpoint \"" + std::string(text) + "\": " + why +
                                          "; write host:port, [ipv6]:port or unix:/path");
}

std::uint16_t parse_port(std::string_view digits, std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, port);
  if (failure != std::errc() || stop != end) throw_bad(text, "the port is no number from 0 to 65535");
  return port;
}

}  // namespace

endpoint endpoint::parse(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(rest.starts_with("unix://") ? 7 : 5);
    return unix_socket(std::string(rest));
  }
  if (rest.starts_with("tcp://")) rest.remove_prefix(6);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) throw_bad(text, "there is no port");
  const std::uint16_t port = parse_port(rest.substr(colon + 1), text);
  std::string_view host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]/ ") != std::string_view::npos) {
    throw_bad(text, "the host is not clear");
  }
  if (host.empty()) throw_bad(text, "there is no host");
  return tcp(std::string(host), port);
}

endpoint endpoint::tcp(std::string host, std::uint16_t port) {
  endpoint made;
  made.host_ = std::move(host);
  made.port_ = port;
  return made;
}

endpoint endpoint::unix_socket(std::string path) {
  if (path.empty()) throw_bad("unix:", "there is no path");
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    throw_bad("unix:" + path, "the path is longer than 107 bytes");
  if (path.find('\0') != std::string::npos) throw_bad("unix:" + path, "the path has a zero byte");
  endpoint made;
  made.kind_ = family::unix_socket;
  made.path_ = std::move(path);
  return made;
}

std::string endpoint::text() const {
  if (is_unix()) return "unix:" + path_;
  const bool is_v6 = host_.find(':') != std::string::npos;
  return (is_v6 ? '[' + host_ + ']' : host_) + ':' + std::to_string(port_);
}

}  // namespace weft::inline v1::net
