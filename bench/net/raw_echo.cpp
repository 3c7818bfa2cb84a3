#include "net/raw_echo.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace weft::bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

struct end {
  int fd;
  bool is_client;
};

/// Both ends of many connections, and the set they are in.
class all_ends {
 public:
  explicit all_ends(std::size_t connections) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (epoll_ < 0 || ::bind(listener, any, bytes) != 0 || ::listen(listener, 1024) != 0 ||
        ::getsockname(listener, any, &bytes) != 0) {
      fail("listen");
    }
    ends_.reserve(2 * connections);  // events point at them
    for (std::size_t n = 0; n < connections; ++n) {
      const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::connect(client, any, bytes) != 0) fail("connect");
      add(client, true);
      add(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), false);
    }
    ::close(listener);
  }
  all_ends(const all_ends&) = delete;
  all_ends& operator=(const all_ends&) = delete;
  ~all_ends() {
    for (const end& one : ends_) ::close(one.fd);
    ::close(epoll_);
  }

  void send(const end& from) {
    if (::send(from.fd, bytes_.data(), message_bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(message_bytes))
      fail("send");
  }
  void play(std::size_t trips) {
    for (const end& one : ends_) {
      if (one.is_client) send(one);
    }
    std::array<epoll_event, 256> events;
    for (std::size_t done = 0; done < trips;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const end& one = *static_cast<const end*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (::recv(one.fd, bytes_.data(), bytes_.size(), 0) != static_cast<ssize_t>(message_bytes)) continue;
        done += one.is_client ? 1 : 0;
        send(one);
      }
    }
  }

 private:
  void add(int fd, bool is_client) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ends_.push_back({fd, is_client});
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &ends_.back();
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  const int epoll_;
  std::vector<end> ends_;
  std::array<char, 4096> bytes_{};
};

}  // namespace

void raw_echo(std::size_t connections, std::size_t trips) { all_ends(connections).play(trips); }

}  // namespace weft::bench
