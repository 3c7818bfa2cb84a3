#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/process/child.hpp>

// How a server's program is replaced: the file is started anew with the listening socket, and takes over once
// it serves. Of one thread, as long as the process has no others.

namespace weft::inline v1::process::detail {

struct successor {
  child process;   ///< empty: there is none; else its end kills it
  unique_fd link;  ///< keeps message borders; see successor_says
  steady_time ready_by = no_deadline;

  explicit operator bool() const noexcept { return static_cast<bool>(process); }
};

/// What a successor says over the link: once, as soon as it serves. One that ends the link without a word
/// does not serve.
enum class successor_says : char {
  ready = 'r',         ///< and nothing else
  takes_clients = 'c'  ///< until it ends the link: those of its predecessor that have no worker
};

/// How this program was started, to be remembered before its title changes.
struct own_start {
  std::string program;
  std::vector<std::string> arguments;

  static own_start now();
};

/// Starts the program's file as it is now, with the listening socket, whose address is given as endpoints are
/// written. Throws weft::error.
successor start_successor(const own_start& how, int listener, const std::string& address);

/// In a successor: the socket that it inherited, non-blocking, if it is for `at`, also where that asks for
/// any port; empty elsewhere. Once in a process.
unique_fd inherited_socket(std::string_view at);
/// In a successor: tells who started it that this one serves now. Gives the link; empty elsewhere. Where the
/// socket was not inherited, as it is for another address, the one who started this program hears that it
/// does not serve, and ends it.
unique_fd tell_ready(successor_says what) noexcept;
/// In a process that a successor forks: closes what it inherited.
void forget_inheritance() noexcept;

}  // namespace weft::inline v1::process::detail
