#include "http/raw_epoll_server.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

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
      } else if (!serve_what_came(fd)) {
        ::close(fd);
      }
    }
  }
}

}  // namespace weft::bench
