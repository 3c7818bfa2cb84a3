#include "http/raw_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace weft::bench {

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int listen_on_any_port(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 1024) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    fail("listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool serve_what_came(int fd) {
  static std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN;
    bool is_sent = true;
    for_each_request({buffer.data(), static_cast<std::size_t>(count)}, [&] {
      is_sent = is_sent && ::send(fd, raw_answer.data(), raw_answer.size(), MSG_NOSIGNAL) >= 0;
    });
    if (!is_sent) return false;
    if (static_cast<std::size_t>(count) < buffer.size()) return true;
  }
}

}  // namespace weft::bench
