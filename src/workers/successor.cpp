#include "workers/successor.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

namespace weft::workers::detail {

namespace {

// Three descriptors and an address: "3,4,unix:/run/app.sock".
constexpr const char* variable = "WEFT_SERVER_SOCKET";
constexpr int socket_number = 3;
constexpr int link_number = 4;
constexpr auto ready_within = std::chrono::seconds(30);

struct inheritance {
  unique_fd socket;
  unique_fd link;
  std::string address;
};

inheritance take_inheritance() {
  inheritance found;
  const char* const text = std::getenv(variable);
  if (text == nullptr) return found;
  found.address = text;
  // Programs that this one starts are no successors.
  ::unsetenv(variable);
  found.socket.reset(socket_number);
  found.link.reset(link_number);
  for (const int fd : {socket_number, link_number}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return found;
}

inheritance& inherited() {
  static inheritance one = take_inheritance();
  return one;
}

// Any free port was asked for, so it is the one that was found.
bool is_for(const net::endpoint& inherited, const net::endpoint& at) {
  const bool wants_any_port = !at.is_unix() && !inherited.is_unix() && at.port() == 0;
  return wants_any_port ? inherited.host() == at.host() : inherited == at;
}

}  // namespace

own_start own_start::now() {
  std::error_code unreadable;
  // Not by its inode: the file may be replaced by the time of a reload.
  return {std::filesystem::read_symlink(process::own_program, unreadable).string(), process::own_arguments()};
}

successor start_successor(const own_start& how, const net::bound_socket& listener) {
  auto [here, there] = process::message_pair();
  process::set_nonblocking(here.get(), true);
  successor made;
  made.process =
      process::child::spawn({.program = how.program,
                             .arguments = how.arguments,
                             .environment = {std::string(variable) + "=" + listener.address().text()},
                             .descriptors = {{listener.fd(), socket_number}, {there.get(), link_number}},
                             .pass_context = false});
  made.link = std::move(here);
  made.ready_by = steady_clock::now() + ready_within;
  return made;
}

std::optional<net::bound_socket> inherited_socket(const net::endpoint& at) {
  auto& from = inherited();
  if (!from.socket || !is_for(net::endpoint::parse(from.address), at)) return std::nullopt;
  process::set_nonblocking(from.socket.get(), true);
  return net::bound_socket::adopt(std::move(from.socket), at);
}

unique_fd tell_ready() noexcept {
  auto& from = inherited();
  // Nobody here has the socket: who started this program had better serve on.
  if (from.socket) from.link.reset();
  from.socket.reset();
  if (!from.link) return {};
  const char word = static_cast<char>(successor_says::takes_clients);
  if (::write(from.link.get(), &word, 1) != 1) from.link.reset();
  return std::move(from.link);
}

}  // namespace weft::workers::detail
