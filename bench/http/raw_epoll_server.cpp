#include "http/raw_epoll_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace weft::bench {
namespace {

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Length: 12\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "X-Request-Id: 000000000000000\r\n"
    "\r\n"
    "Hello world!";

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

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

void watch(int epoll, int fd, unsigned int events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void accept_all(int epoll, int listener) {
  while (true) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
  }
}

/// False: the connection is over.
bool serve_one(int fd) {
  static std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN;
    std::string_view got(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = got.find("\r\n\r\n")) != std::string_view::npos;
         got.remove_prefix(end + 4)) {
      if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return false;
    }
    if (static_cast<std::size_t>(count) < buffer.size()) return true;
  }
}

}  // namespace

void serve_raw_epoll(int stop_fd, const std::function<void(int port)>& ready) {
  int port = 0;
  const int listener = listen_on_any_port(port);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener, EPOLLIN | EPOLLET);
  watch(epoll, stop_fd, EPOLLIN);
  ready(port);
  std::array<epoll_event, 256> events;
  while (true) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_fd) return;
      if (fd == listener) {
        accept_all(epoll, listener);
      } else if (!serve_one(fd)) {
        ::close(fd);
      }
    }
  }
}

}  // namespace weft::bench
