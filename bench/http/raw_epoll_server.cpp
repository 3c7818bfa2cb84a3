#include "http/raw_epoll_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "http/raw_server.hpp"

namespace weft::bench {
namespace {

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
    send_at_once(fd);
    watch(epoll, fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
  }
}

constexpr std::string_view accepted =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "\r\n";

/// Unmasks one frame and makes the server's of it in its place: without the mask, so 4 bytes shorter.
std::string_view turn_frame(char* frame, std::size_t payload) {
  const std::array<char, 4> mask{frame[2], frame[3], frame[4], frame[5]};
  frame[1] = static_cast<char>(payload);
  for (std::size_t i = 0; i < payload; ++i)
    frame[2 + i] = static_cast<char>(frame[6 + i] ^ mask[i % mask.size()]);
  return {frame, 2 + payload};
}

/// False: the connection is over.
bool echo_what_came(int fd) {
  static std::array<char, 64 * 1024> buffer;
  const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (count == 0) return false;
  if (count < 0) return errno == EAGAIN;
  const auto bytes = static_cast<std::size_t>(count);
  if (buffer[0] == 'G') return ::send(fd, accepted.data(), accepted.size(), MSG_NOSIGNAL) >= 0;
  for (std::size_t at = 0; at < bytes;) {
    const std::size_t payload = static_cast<unsigned char>(buffer[at + 1]) & 0x7fU;
    const std::string_view echo = turn_frame(buffer.data() + at, payload);
    if (::send(fd, echo.data(), echo.size(), MSG_NOSIGNAL) < 0) return false;
    at += 6 + payload;
  }
  return true;
}

template <typename F>
void serve(int stop_fd, const std::function<void(int port)>& ready, F serve_one) {
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

}  // namespace

void serve_raw_epoll(int stop_fd, const std::function<void(int port)>& ready) {
  serve(stop_fd, ready, serve_what_came);
}

void echo_raw_epoll(int stop_fd, const std::function<void(int port)>& ready) {
  serve(stop_fd, ready, echo_what_came);
}

}  // namespace weft::bench
