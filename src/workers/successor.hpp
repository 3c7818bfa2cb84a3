#pragma once

#include <optional>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/process/child.hpp>

namespace weft::workers::detail {

/// The program of a server, started anew with its listening socket: it takes over once it is ready.
struct successor {
  process::child process;  ///< empty: there is none
  unique_fd link;          ///< keeps message borders; see successor_says
  steady_time ready_by = no_deadline;

  explicit operator bool() const noexcept { return static_cast<bool>(process); }
};

/// What a successor says over the link: once, as soon as it serves. One that ends the link without a word
/// does not serve.
enum class successor_says : char {
  ready = 'r',         ///< and nothing else: it is of a weft that takes no clients
  takes_clients = 'c'  ///< until it ends the link: those of its predecessor that have no worker
};

/// How this program was started, to be remembered before its title changes.
struct own_start {
  std::string program;
  std::vector<std::string> arguments;

  static own_start now();
};

/// Starts the program's file as it is now. Throws weft::error.
successor start_successor(const own_start& how, const net::bound_socket& listener);

/// In a successor: the socket that it inherited, if it is for `at`. Once in a process.
std::optional<net::bound_socket> inherited_socket(const net::endpoint& at);
/// In a successor: tells who started it that this one serves now. Gives the link over which that one's
/// clients come; nothing elsewhere. Where the socket was not inherited, as it is for another address, the one
/// who started this program hears that it does not serve, and ends it.
unique_fd tell_ready() noexcept;

}  // namespace weft::workers::detail
