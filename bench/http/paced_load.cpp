#include "http/paced_load.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "http/load_socket.hpp"

namespace weft::bench {

namespace {

constexpr std::string_view request = "GET /work HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
constexpr std::string_view body_end = "\n";  // of both answers, and of nothing else that comes alone

bool is_whole(std::string_view answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  return head != std::string_view::npos && answer.size() > head + 4 && answer.ends_with(body_end);
}

}  // namespace

paced_load::paced_load(int port, std::size_t connections)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), links_(connections) {
  for (link& one : links_) {
    one.fd = connect_to(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &one;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event) != 0) throw std::runtime_error("load: epoll");
    free_.push_back(&one);
  }
}

paced_load::~paced_load() {
  for (const link& one : links_) ::close(one.fd);
  ::close(epoll_);
}

void paced_load::receive(link& on, paced_result& into, double counted_from_us) {
  std::array<char, 4096> piece;
  const ssize_t count = ::recv(on.fd, piece.data(), piece.size(), MSG_DONTWAIT);
  if (count <= 0) throw std::runtime_error("load: the server closed a connection");
  on.answer.append(piece.data(), static_cast<std::size_t>(count));
  if (!is_whole(on.answer)) return;
  const bool counts = on.due_us >= counted_from_us;
  if (on.answer.starts_with("HTTP/1.1 200 ")) {
    if (counts) into.latencies_us.push_back(now_us() - on.due_us);
  } else if (on.answer.starts_with("HTTP/1.1 503 ")) {
    if (counts) ++into.turned_away;
  } else {
    throw std::runtime_error("load: a wrong answer: " + on.answer);
  }
  on.answer.clear();
  free_.push_back(&on);
}

paced_result paced_load::run(double rate, double lead_seconds, double seconds) {
  paced_result result;
  const double start = now_us();
  const double counted_from = start + lead_seconds * 1e6;
  const double end = counted_from + seconds * 1e6;
  const double step = 1e6 / rate;
  double due = start;
  std::array<epoll_event, 128> events;
  while (due < end || free_.size() < links_.size()) {
    for (const double now = now_us(); due <= now && due < end; due += step) {
      if (free_.empty()) continue;
      link& one = *free_.back();
      free_.pop_back();
      one.due_us = due;
      if (::send(one.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
        throw std::runtime_error("load: cannot send");
    }
    if (now_us() > end + 10e6) throw std::runtime_error("load: no answer for 10 s");
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);  // it spins: exact
    for (int i = 0; i < count; ++i)
      receive(*static_cast<link*>(events[static_cast<std::size_t>(i)].data.ptr), result, counted_from);
  }
  result.seconds = (now_us() - counted_from) / 1e6;
  return result;
}

}  // namespace weft::bench
