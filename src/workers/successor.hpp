#pragma once

#include <memory>
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
  std::unique_ptr<process::child> process;  ///< null: there is none
  unique_fd ready;  ///< it says a byte here once it serves, and ends it at the latest then
  steady_time ready_by = no_deadline;

  explicit operator bool() const noexcept { return process != nullptr; }
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
/// In a successor: tells who started it that this one serves now. Elsewhere it does nothing.
void tell_ready() noexcept;

}  // namespace weft::workers::detail
