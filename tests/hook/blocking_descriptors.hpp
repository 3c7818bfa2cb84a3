#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include <weft/core/unique_fd.hpp>

// Descriptors that block, as C libraries have them.

struct blocking_pair {
  explicit blocking_pair(int type = SOCK_STREAM) {
    std::array<int, 2> both{};
    EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both.data()), 0);
    here = weft::unique_fd(both[0]);
    there = weft::unique_fd(both[1]);
  }
  weft::unique_fd here;
  weft::unique_fd there;
};

struct blocking_pipe {
  blocking_pipe() {
    std::array<int, 2> both{};
    EXPECT_EQ(pipe(both.data()), 0);
    reader = weft::unique_fd(both[0]);
    writer = weft::unique_fd(both[1]);
  }
  weft::unique_fd reader;
  weft::unique_fd writer;
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
