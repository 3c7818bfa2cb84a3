#include "workers/bare_echo.hpp"

#include <array>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/figure.hpp"

namespace weft::bench {

namespace {

constexpr std::size_t piece = 128 * 1024;

// Only what a child of a process with threads may do.
[[noreturn]] void echo_for_ever(int socket) {
  static std::array<char, piece> buffer;
  while (true) {
    const ssize_t got = ::read(socket, buffer.data(), buffer.size());
    if (got <= 0) ::_exit(0);
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t count = ::write(socket, buffer.data() + sent, static_cast<std::size_t>(got - sent));
      if (count <= 0) ::_exit(0);
      sent += count;
    }
  }
}

}  // namespace

bare_echo::bare_echo() {
  int both[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) throw unavailable("no socketpair");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(both[0]);
    echo_for_ever(both[1]);
  }
  ::close(both[1]);
  socket_ = both[0];
  if (pid_ < 0) throw unavailable("cannot fork");
}

bare_echo::~bare_echo() {
  ::close(socket_);
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

void bare_echo::round_trip(std::size_t bytes) const {
  static std::array<char, piece> buffer{};
  if (::write(socket_, buffer.data(), bytes) != static_cast<ssize_t>(bytes)) throw unavailable("short write");
  for (std::size_t back = 0; back < bytes;) {
    const ssize_t got = ::read(socket_, buffer.data(), bytes - back);
    if (got <= 0) throw unavailable("the echo has ended");
    back += static_cast<std::size_t>(got);
  }
}

void fork_and_exit() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  if (pid < 0) throw unavailable("cannot fork");
  ::waitpid(pid, nullptr, 0);
}

}  // namespace weft::bench
