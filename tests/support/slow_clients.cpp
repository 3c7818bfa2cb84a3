#include "support/slow_clients.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace weft_test {
namespace {

constexpr std::size_t at_once = 50;  // clients that are served in one go

bool send_bytes(int fd, std::string_view bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EAGAIN;
}

/// False: the other side has closed. What came is dropped.
bool is_open(int fd) {
  char piece[512];
  const ssize_t count = ::recv(fd, piece, sizeof piece, MSG_DONTWAIT);
  return count > 0 || (count < 0 && errno == EAGAIN);
}

}  // namespace

slow_clients::slow_clients(int port, std::size_t count, std::chrono::milliseconds pause)
    : thread_([=, this] { run(port, count, pause); }) {}

slow_clients::~slow_clients() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
  for (const client& one : clients_) {
    if (one.fd >= 0) ::close(one.fd);
  }
}

slow_clients::client slow_clients::connect(int port, manner how) {
  client made{.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .how = how};
  if (how == manner::reader) {
    const int few = 4096;
    ::setsockopt(made.fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<in_port_t>(port));
  if (made.fd >= 0 && ::connect(made.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(made.fd);
    made.fd = -1;
  }
  switch (how) {
    case manner::head:
      made.head = "GET /slow HTTP/1.1\r\nHost: a\r\nX-Slow: ";
      break;
    case manner::body:
      made.head = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n";
      break;
    case manner::chunks:
      made.head = "POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
      break;
    case manner::reader:
      made.head = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
      break;
    case manner::silent:
      break;
  }
  return made;
}

bool slow_clients::go_on(client& with) {
  const std::string_view left = std::string_view(with.head).substr(with.sent);
  if (!left.empty()) {
    const std::size_t count = with.how == manner::head ? 1 : left.size();
    with.sent += count;
    return send_bytes(with.fd, left.substr(0, count));
  }
  switch (with.how) {
    case manner::silent:
      return is_open(with.fd);
    case manner::reader: {
      char byte = 0;
      return ::recv(with.fd, &byte, 1, MSG_DONTWAIT) > 0 || errno == EAGAIN;
    }
    case manner::chunks:
      return is_open(with.fd) && send_bytes(with.fd, "1\r\nx\r\n");
    default:
      return is_open(with.fd) && send_bytes(with.fd, "x");
  }
}

bool slow_clients::wait(std::chrono::microseconds pause) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, pause, [this] { return over_; });
}

void slow_clients::run(int port, std::size_t count, std::chrono::milliseconds pause) {
  constexpr manner mix[] = {manner::head, manner::body, manner::chunks, manner::head, manner::silent};
  for (std::size_t i = 0; i < count; ++i) {
    clients_.push_back(connect(port, i % 20 == 19 ? manner::reader : mix[i % std::size(mix)]));
    if (clients_.back().fd < 0) ++failed_;
    if (i % at_once == 0 && wait(std::chrono::milliseconds(0))) return;
  }
  const auto step = std::chrono::microseconds(pause) * at_once / (count + at_once);
  for (;; ++rounds_) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (i % at_once == 0 && wait(step)) return;
      client& one = clients_[i];
      if (one.fd < 0 || go_on(one)) continue;
      ::close(one.fd);
      one.fd = -1;
      ++ended_;
    }
  }
}

}  // namespace weft_test
