#pragma once

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/executor/blocking.hpp>
#include <weft/process/socket.hpp>

#include "support/scratch_folder.hpp"

namespace weft_test {

/// Listens as a service manager does, and hears what it is told.
class fake_manager {
 public:
  fake_manager() : fake_manager(std::string()) {}
  /// At an abstract name, "@name"; empty: at a path of its own.
  explicit fake_manager(std::string abstract) : address_(abstract.empty() ? folder_ / "notify" : abstract) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address_.data(), address_.size());
    if (address_.front() == '@') at.sun_path[0] = '\0';
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at), bytes) != 0)
      throw weft::system_error("bind the manager's socket", errno);
    const timeval long_enough{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &long_enough, sizeof long_enough);
  }

  const std::string& address() const noexcept { return address_; }

  /// The next datagram; blocks the thread for a minute at most, and is empty then. With `flags` MSG_DONTWAIT
  /// it does not block.
  std::string take(int flags = 0) {
    std::string text(4096, '\0');
    fds_.clear();
    const long got =
        weft::process::receive_with_descriptors(socket_.get(), text.data(), text.size(), fds_, flags);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  /// The same for a fiber, which waits while others run.
  std::string hear() {
    return weft::blocking([this] { return take(); });
  }
  /// What came with the last one.
  std::vector<weft::unique_fd>& descriptors() noexcept { return fds_; }

 private:
  scratch_folder folder_;
  std::string address_;
  weft::unique_fd socket_;
  std::vector<weft::unique_fd> fds_;
};

}  // namespace weft_test
