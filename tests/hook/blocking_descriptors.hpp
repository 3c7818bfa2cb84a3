#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <weft/core/unique_fd.hpp>

#include "support/descriptors.hpp"

// Descriptors that block, as C libraries have them.

struct blocking_pair : socket_pair {
  explicit blocking_pair(int type = SOCK_STREAM) : socket_pair(type) {}
};

struct blocking_pipe : test_pipe {
  blocking_pipe() : test_pipe(0) {}
};

/// A TCP socket of the loopback that listens, and its address.
struct blocking_listener {
  explicit blocking_listener(int backlog = 16) : fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd.get(), generic(), sizeof address), 0);
    EXPECT_EQ(listen(fd.get(), backlog), 0);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(getsockname(fd.get(), generic(), &bytes), 0);
  }
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }
  sockaddr_in address{};
  weft::unique_fd fd;
};
