#include <weft/process/successor.hpp>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <weft/core/error.hpp>
#include <weft/process/self.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::process::detail {

namespace {

// The address of the socket, as endpoints are written.
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
bool is_for(std::string_view inherited, std::string_view at) noexcept {
  if (inherited == at) return true;
  constexpr std::string_view any_port = ":0";
  if (!at.ends_with(any_port) || at.starts_with("unix:")) return false;
  at.remove_suffix(any_port.size());
  return inherited.starts_with(at) && inherited.rfind(':') == at.size();
}

}  // namespace

own_start own_start::now() {
  std::error_code unreadable;
  // Not by its inode: the file may be replaced by the time of a reload.
  return {std::filesystem::read_symlink(own_program, unreadable).string(), own_arguments()};
}

successor start_successor(const own_start& how, int listener, const std::string& address) {
  auto [here, there] = message_pair();
  set_nonblocking(here.get(), true);
  successor made;
  made.process = child::spawn({.program = how.program,
                               .arguments = how.arguments,
                               .environment = {std::string(variable) + "=" + address},
                               .descriptors = {{listener, socket_number}, {there.get(), link_number}},
                               .pass_context = false});
  made.link = std::move(here);
  made.ready_by = steady_clock::now() + ready_within;
  return made;
}

unique_fd inherited_socket(std::string_view at) {
  auto& from = inherited();
  if (!from.socket || !is_for(from.address, at)) return {};
  set_nonblocking(from.socket.get(), true);
  return std::move(from.socket);
}

unique_fd tell_ready(successor_says what) noexcept {
  auto& from = inherited();
  // Nobody here has the socket: who started this program had better serve on.
  if (from.socket) from.link.reset();
  from.socket.reset();
  if (!from.link) return {};
  const char word = static_cast<char>(what);
  if (::write(from.link.get(), &word, 1) != 1) from.link.reset();
  return std::move(from.link);
}

void forget_inheritance() noexcept {
  inherited().socket.reset();
  inherited().link.reset();
}

}  // namespace weft::inline v1::process::detail
