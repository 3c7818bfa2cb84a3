#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <string_view>

#include <weft/core/unique_fd.hpp>

// Descriptors for tests of what waits for them.

/// Two connected sockets, which do not block unless the kind says otherwise.
struct socket_pair {
  explicit socket_pair(int kind = SOCK_STREAM | SOCK_NONBLOCK) {
    std::array<int, 2> both{};
    EXPECT_EQ(socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, both.data()), 0);
    here = weft::unique_fd(both[0]);
    there = weft::unique_fd(both[1]);
  }
  weft::unique_fd here;
  weft::unique_fd there;
};

/// A pipe of which neither end blocks, unless the flags say otherwise.
struct test_pipe {
  explicit test_pipe(int flags = O_NONBLOCK) {
    std::array<int, 2> both{};
    EXPECT_EQ(pipe2(both.data(), flags | O_CLOEXEC), 0);
    reader = weft::unique_fd(both[0]);
    writer = weft::unique_fd(both[1]);
  }
  weft::unique_fd reader;
  weft::unique_fd writer;
};

inline void put(int fd, std::string_view text) {
  ASSERT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

/// Takes what is there; the number of bytes.
inline std::size_t drain(int fd) {
  char buffer[4096];
  std::size_t total = 0;
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) total += static_cast<std::size_t>(got);
  return total;
}

/// Writes until it would block.
inline void fill(int fd) {
  const std::array<char, 4096> bytes{};
  while (write(fd, bytes.data(), bytes.size()) > 0) {
  }
}
