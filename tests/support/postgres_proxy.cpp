#include "support/postgres_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

namespace weft_test {
namespace {

using weft::unique_fd;

sockaddr_un local_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof(address.sun_path) - 1));
  return address;
}

void check(bool good, const char* what) {
  if (!good) throw weft::system_error(what, errno);
}

/// As much as `to` takes now: a client that does not read, as its process is stopped, holds up no other.
void send_some(int to, std::string& bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) bytes.clear();  // the other side is gone, which poll will tell
    if (count < 0) return;
    bytes.erase(0, static_cast<std::size_t>(count));
  }
}

/// With nothing left to read, as far as it is read from now.
bool has_gone(const pollfd& end) {
  return (end.revents & (POLLERR | POLLHUP)) != 0 && (end.revents & POLLIN) == 0;
}

short events_of(const std::string& unsent, const std::string& unsent_of_other) {
  return static_cast<short>((unsent_of_other.empty() ? POLLIN : 0) | (unsent.empty() ? 0 : POLLOUT));
}

}  // namespace

/// One client with its connection to the server.
struct postgres_proxy::link {
  unique_fd client;
  unique_fd server;
  std::string to_server;  ///< that it has not taken yet; nothing more is read from the client until then
  std::string to_client;  ///< the same the other way
  std::string sent_last;  ///< end of what the client sent, as long as the text that is looked for
  std::string head;       ///< of a message of the server that is not whole yet
  std::uint32_t body_left = 0;
  std::optional<proxy_fault> under_way;
  std::string kept;
  bool over = false;
};

postgres_proxy::postgres_proxy(std::string server_folder, way how, int port)
    : server_path_(std::move(server_folder) + "/.s.PGSQL." + std::to_string(port)),
      woken_(::eventfd(0, EFD_CLOEXEC)) {
  check(static_cast<bool>(woken_), "start a proxy: eventfd");
  listen_at(how);
  thread_ = std::thread([this] { run(); });
}

postgres_proxy::~postgres_proxy() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake();
  thread_.join();
}

void postgres_proxy::listen_at(way how) {
  const bool is_tcp = how == way::tcp;
  listening_ = unique_fd(::socket(is_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  check(static_cast<bool>(listening_), "start a proxy: socket");
  if (is_tcp) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(at);
    check(::bind(listening_.get(), reinterpret_cast<sockaddr*>(&at), length) == 0, "start a proxy: bind");
    check(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&at), &length) == 0, "start a proxy");
    url_ = "postgres://weft@127.0.0.1:" + std::to_string(ntohs(at.sin_port)) +
           "/postgres?sslmode=disable&gssencmode=disable";
  } else {
    const sockaddr_un at = local_address(folder_ / ".s.PGSQL.5432");
    check(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0,
          "start a proxy: bind");
    url_ = "postgres://weft@/postgres?host=" + folder_.path();
  }
  check(::listen(listening_.get(), 128) == 0, "start a proxy: listen");
}

void postgres_proxy::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(woken_.get(), &one, sizeof(one));
}

void postgres_proxy::set_fault(proxy_fault what, std::string text, after_fault then) {
  const std::lock_guard lock(mutex_);
  fault_ = what;
  text_ = std::move(text);
  then_ = then;
}

void postgres_proxy::end_fault() {
  const std::lock_guard lock(mutex_);
  fault_.reset();
  faults_ = 0;
  refusing_ = false;
}

void postgres_proxy::wait_for_fault() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return faults_ > 0; });
  --faults_;
}

void postgres_proxy::let_go() {
  {
    const std::lock_guard lock(mutex_);
    for (link& one : links_) {
      if (one.under_way == proxy_fault::hold_answer) {
        one.under_way.reset();
        one.to_client += std::exchange(one.kept, {});
      }
    }
  }
  wake();
}

void postgres_proxy::cut_all() {
  {
    const std::lock_guard lock(mutex_);
    for (link& one : links_) one.over = true;
  }
  wake();
}

void postgres_proxy::refuse(bool now) {
  const std::lock_guard lock(mutex_);
  refusing_ = now;
}

std::size_t postgres_proxy::clients() const {
  const std::lock_guard lock(mutex_);
  return clients_;
}

void postgres_proxy::run() {
  std::vector<pollfd> watched;
  std::vector<link*> watched_links;
  for (;;) {
    watched = {{woken_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
    watched_links.clear();
    {
      const std::lock_guard lock(mutex_);
      links_.remove_if([](const link& one) { return one.over; });
      if (ending_) return;
      for (link& one : links_) {
        watched.push_back({one.client.get(), events_of(one.to_client, one.to_server), 0});
        const int stalled = one.under_way == proxy_fault::stall ? POLLIN : 0;
        const int events = events_of(one.to_server, one.to_client) & ~stalled;
        watched.push_back({one.server.get(), static_cast<short>(events), 0});
        watched_links.push_back(&one);
      }
    }
    while (::poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
    }
    const std::lock_guard lock(mutex_);
    std::uint64_t ignored = 0;
    if (watched[0].revents != 0) (void)!::read(woken_.get(), &ignored, sizeof(ignored));
    for (std::size_t i = 0; i < watched_links.size(); ++i) {
      link& one = *watched_links[i];
      const pollfd& client = watched[2 + 2 * i];
      const pollfd& server = watched[3 + 2 * i];
      if (has_gone(client) || has_gone(server)) one.over = true;
      if ((server.revents & POLLOUT) != 0) send_some(one.server.get(), one.to_server);
      if ((client.revents & POLLOUT) != 0) send_some(one.client.get(), one.to_client);
      if (!one.over && (client.revents & POLLIN) != 0) hand_to_server(one);
      if (!one.over && (server.revents & POLLIN) != 0) hand_to_client(one);
    }
    if (watched[1].revents != 0) take_client();
  }
}

void postgres_proxy::take_client() {
  unique_fd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client) return;
  ++clients_;
  if (refusing_) return;
  unique_fd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un at = local_address(server_path_);
  if (!server || ::connect(server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) return;
  link& one = links_.emplace_back();
  one.client = std::move(client);
  one.server = std::move(server);
}

void postgres_proxy::hand_to_server(link& one) {
  std::array<char, 16384> piece{};
  const ssize_t count = ::recv(one.client.get(), piece.data(), piece.size(), 0);
  if (count <= 0) {
    one.over = true;
    return;
  }
  const std::string_view sent(piece.data(), static_cast<std::size_t>(count));
  if (is_faulty(one, sent)) {
    one.under_way = fault_;
    if (then_ != after_fault::again) fault_.reset();
    if (then_ == after_fault::shut_away) refusing_ = true;
    const bool is_cut = one.under_way == proxy_fault::cut_before;
    if (is_cut || one.under_way == proxy_fault::stall) {
      one.over = is_cut;
      ++faults_;
      changed_.notify_all();
    }
    if (is_cut) return;
  }
  one.to_server.append(sent);
  send_some(one.server.get(), one.to_server);
}

/// Does what the client sends now, with the end of what it sent before, have the text?
bool postgres_proxy::is_faulty(link& one, std::string_view sent) {
  if (!fault_) return false;
  one.sent_last.append(sent);
  const bool found = one.sent_last.find(text_) != std::string::npos;
  const std::size_t kept = found ? 0 : std::min(one.sent_last.size(), text_.size() - 1);
  one.sent_last.erase(0, one.sent_last.size() - kept);
  return found;
}

void postgres_proxy::hand_to_client(link& one) {
  std::array<char, 16384> piece{};
  const ssize_t count = ::recv(one.server.get(), piece.data(), piece.size(), 0);
  if (count <= 0) {
    one.over = true;
    return;
  }
  const std::string_view answered(piece.data(), static_cast<std::size_t>(count));
  const bool ends = ends_answer(one, answered);
  if (!one.under_way) {
    one.to_client.append(answered);
    send_some(one.client.get(), one.to_client);
    return;
  }
  if (one.under_way == proxy_fault::hold_answer) one.kept.append(answered);
  if (!ends) return;
  if (one.under_way == proxy_fault::cut_after) one.over = true;
  ++faults_;
  changed_.notify_all();
}

/// Follows the server's messages, each a letter and its length; true where one says that it is ready for
/// more.
bool postgres_proxy::ends_answer(link& one, std::string_view bytes) {
  constexpr std::size_t head_bytes = 5;
  bool ends = false;
  while (!bytes.empty()) {
    if (one.body_left > 0) {
      const auto skipped = std::min<std::size_t>(one.body_left, bytes.size());
      bytes.remove_prefix(skipped);
      one.body_left -= static_cast<std::uint32_t>(skipped);
      continue;
    }
    const auto taken = std::min(head_bytes - one.head.size(), bytes.size());
    one.head.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (one.head.size() < head_bytes) continue;
    ends = ends || one.head.front() == 'Z';
    std::uint32_t length = 0;
    std::memcpy(&length, one.head.data() + 1, sizeof(length));
    one.body_left = ntohl(length) - sizeof(length);
    one.head.clear();
  }
  return ends;
}

}  // namespace weft_test
