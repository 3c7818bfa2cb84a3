#include "http/load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/load_socket.hpp"

namespace weft::bench {

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int on = 1;
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    throw std::runtime_error("load: cannot connect");
  }
  return fd;
}

namespace {

void say(int fd, std::string_view text) {
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("load: cannot send");
}

/// What is received until it ends with `end`.
std::string hear(int fd, std::string_view end) {
  std::string heard;
  std::array<char, 4096> some;
  while (!heard.ends_with(end)) {
    const ssize_t count = ::recv(fd, some.data(), some.size(), 0);
    if (count <= 0) throw std::runtime_error("load: no answer");
    heard.append(some.data(), static_cast<std::size_t>(count));
  }
  return heard;
}

}  // namespace

load::load(int port, std::size_t connections, conversation what)
    : what_(std::move(what)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), links_(connections) {
  for (link& one : links_) {
    one.fd = connect_to(port);
    if (!what_.greeting.empty()) {
      say(one.fd, what_.greeting);
      hear(one.fd, "\r\n\r\n");
    }
    answer_bytes_ = measure_answer(one.fd);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &one;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event) != 0) throw std::runtime_error("load: epoll");
  }
}

load::~load() {
  for (const link& one : links_) ::close(one.fd);
  ::close(epoll_);
}

/// Asks once and gives the length of the answer.
std::size_t load::measure_answer(int fd) const {
  say(fd, what_.request);
  const std::string answer = hear(fd, what_.answer_end);
  if (!answer.starts_with(what_.answer_begin)) throw std::runtime_error("load: answered " + answer);
  return answer.size();
}

void load::send_one(link& on) {
  on.received = 0;
  on.since = now_us();
  say(on.fd, what_.request);
}

bool load::receive(link& on) {
  std::array<char, 4096> answer;
  const ssize_t count = ::recv(on.fd, answer.data(), answer.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return false;
  if (count <= 0) throw std::runtime_error("load: the server closed a connection");
  on.received += static_cast<std::size_t>(count);
  if (on.received > answer_bytes_) throw std::runtime_error("load: more than one answer");
  return on.received == answer_bytes_;
}

load_result load::run(std::size_t requests) {
  load_result result;
  result.latencies_us.reserve(requests);
  const double start = now_us();
  std::size_t sent = 0;
  for (link& one : links_) {
    if (sent++ < requests) send_one(one);
  }
  std::array<epoll_event, 128> events;
  while (result.latencies_us.size() < requests) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10'000);
    if (count == 0) throw std::runtime_error("load: no answer for 10 s");
    for (int i = 0; i < count; ++i) {
      link& one = *static_cast<link*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!receive(one)) continue;
      result.latencies_us.push_back(now_us() - one.since);
      if (sent++ < requests) send_one(one);
    }
  }
  result.seconds = (now_us() - start) / 1e6;
  return result;
}

}  // namespace weft::bench
