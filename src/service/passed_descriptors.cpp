#include <weft/service/passed_descriptors.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/process/socket.hpp>

#include "service/environment.hpp"

namespace weft::inline v1::ops {

namespace {

constexpr int first_number = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t count_max = 1000;

int option_of(int fd, int option) noexcept {
  int value = 0;
  socklen_t bytes = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &bytes) == 0 ? value : -1;
}

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

/// Where that socket listens.
net::endpoint endpoint_of(const passed_descriptor& one) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  if (::getsockname(one.fd.get(), reinterpret_cast<sockaddr*>(&storage), &bytes) != 0)
    throw system_error("service: the address of the passed socket \"" + one.name + "\"", errno);
  switch (storage.ss_family) {
    case AF_INET: {
      sockaddr_in at{};
      std::memcpy(&at, &storage, sizeof at);
      return net::endpoint::tcp(text_of(AF_INET, &at.sin_addr), ntohs(at.sin_port));
    }
    case AF_INET6: {
      sockaddr_in6 at{};
      std::memcpy(&at, &storage, sizeof at);
      return net::endpoint::tcp(text_of(AF_INET6, &at.sin6_addr), ntohs(at.sin6_port));
    }
    case AF_UNIX: {
      sockaddr_un at{};
      std::memcpy(&at, &storage, sizeof at);
      std::string path(at.sun_path, bytes - offsetof(sockaddr_un, sun_path));
      if (path.starts_with('\0')) {
        path[0] = '@';
      } else {
        path = path.c_str();
      }
      return net::endpoint::unix_socket(std::move(path));
    }
    default:
      throw error(errc::unsupported,
                  "service: the passed socket \"" + one.name + "\" is neither TCP nor a Unix socket");
  }
}

/// The names, as many as there are descriptors.
std::vector<std::string> names_in(const std::optional<std::string>& text, std::size_t count) {
  std::vector<std::string> names;
  if (text) {
    for (std::size_t at = 0; at <= text->size();) {
      const std::size_t end = std::min(text->find(':', at), text->size());
      names.push_back(text->substr(at, end - at));
      at = end + 1;
    }
    if (names.size() != count) {
      throw error(errc::invalid_argument, "LISTEN_FDNAMES has " + std::to_string(names.size()) +
                                              " names and LISTEN_FDS says " + std::to_string(count) +
                                              "; they are for the service manager to set");
    }
  }
  names.resize(count, "unknown");
  return names;
}

}  // namespace

bool passed_descriptor::is_listening() const noexcept {
  return option_of(fd.get(), SO_ACCEPTCONN) == 1 && option_of(fd.get(), SO_TYPE) == SOCK_STREAM;
}

net::bound_socket passed_descriptor::listener() const {
  if (!is_listening()) {
    throw error(errc::invalid_argument, "service: what was passed as \"" + name +
                                            "\" is no stream socket that listens; see Accept= of its unit");
  }
  const net::endpoint at = endpoint_of(*this);
  const int again = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0);
  if (again < 0)
    throw system_error("service: another descriptor of the passed socket \"" + name + "\"", errno);
  // What is shared has no file to remove: that is the manager's, as the first one is left without removing
  // it.
  net::bound_socket first = net::bound_socket::adopt(unique_fd(again), at);
  net::bound_socket shared = first.share();
  first.leave_open();
  return shared;
}

std::vector<passed_descriptor> take_passed_descriptors() {
  const auto count_text = detail::take_variable("LISTEN_FDS");
  const auto names_text = detail::take_variable("LISTEN_FDNAMES");
  const bool is_ours = detail::is_for_this_process("LISTEN_PID", detail::take_variable("LISTEN_PID"));
  if (!count_text || !is_ours) return {};
  const auto count = static_cast<std::size_t>(detail::number_in("LISTEN_FDS", *count_text, count_max));
  std::vector<std::string> names = names_in(names_text, count);
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = first_number + static_cast<int>(i);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) continue;
    throw error(errc::invalid_argument, "LISTEN_FDS says " + *count_text + ", and descriptor " +
                                            std::to_string(fd) +
                                            " is not open; it is for the service manager to set");
  }
  std::vector<passed_descriptor> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back({std::move(names[i]), unique_fd(first_number + static_cast<int>(i))});
    if (all.back().is_listening()) process::set_nonblocking(all.back().fd.get(), true);
  }
  return all;
}

}  // namespace weft::inline v1::ops
