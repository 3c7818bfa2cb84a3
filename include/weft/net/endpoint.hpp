#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::inline v1::net {

/// Where to listen or connect: a host and a port, or a Unix socket. A value; names are looked up
/// when it is used.
class endpoint {
 public:
  /// The kinds of sockets.
  enum class family : unsigned char { tcp, unix_socket };

  /// Reads "tcp://127.0.0.1:8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "*:8080" (every
  /// address of this machine), "unix:/run/app.sock" and "unix:@name" (Linux' abstract names).
  /// Throws weft::error (invalid_argument) that says what is wrong.
  static endpoint parse(std::string_view text);
  static endpoint tcp(std::string host, std::uint16_t port);
  /// A path of at most 107 bytes; one that begins with '@' is abstract.
  static endpoint unix_socket(std::string path);

  family kind() const noexcept { return kind_; }
  bool is_unix() const noexcept { return kind_ == family::unix_socket; }
  /// Without brackets; empty for a Unix socket.
  const std::string& host() const noexcept { return host_; }
  /// 0 for a Unix socket and for "any free port".
  std::uint16_t port() const noexcept { return port_; }
  /// Empty for tcp.
  const std::string& path() const noexcept { return path_; }

  /// "127.0.0.1:8080", "[::1]:8080" or "unix:/run/app.sock".
  std::string text() const;

  friend bool operator==(const endpoint&, const endpoint&) = default;

 private:
  family kind_ = family::tcp;
  std::uint16_t port_ = 0;
  std::string host_;
  std::string path_;
};

}  // namespace weft::inline v1::net
