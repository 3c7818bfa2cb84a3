#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

#include <weft/core/error.hpp>

namespace weft::workers::detail {

/// The socket address of "unix:/path". Throws weft::error (invalid_argument).
struct unix_address {
  explicit unix_address(std::string_view text) {
    constexpr std::string_view prefix = "unix:";
    const auto quoted = "workers: address \"" + std::string(text) + "\": ";
    if (text.substr(0, prefix.size()) != prefix) {
      throw error(errc::invalid_argument,
                  quoted + "it does not begin with \"unix:\", as in unix:/run/app.sock");
    }
    path = text.substr(prefix.size());
    if (path.empty() || path.size() >= sizeof address.sun_path) {
      throw error(errc::invalid_argument, quoted + "the path must have 1 to " +
                                              std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  }

  const sockaddr* generic() const noexcept { return reinterpret_cast<const sockaddr*>(&address); }

  std::string path;
  sockaddr_un address{};
  socklen_t length = 0;
};

}  // namespace weft::workers::detail
