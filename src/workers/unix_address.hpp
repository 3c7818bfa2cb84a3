#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

#include <weft/core/error.hpp>

namespace weft::workers::detail {

/// The socket address of a path. Throws weft::error (invalid_argument).
struct unix_address {
  explicit unix_address(std::string_view of) : path(of) {
    if (path.empty() || path.size() >= sizeof address.sun_path) {
      throw error(errc::invalid_argument, "workers: address \"unix:" + path + "\": the path must have 1 to " +
                                              std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    if (is_file()) {
      ++length;
    } else {
      address.sun_path[0] = '\0';  // an abstract name is as long as said
    }
  }

  bool is_file() const noexcept { return path.front() != '@'; }
  const sockaddr* generic() const noexcept { return reinterpret_cast<const sockaddr*>(&address); }

  std::string path;
  sockaddr_un address{};
  socklen_t length = 0;
};

}  // namespace weft::workers::detail
