#pragma once

#include <cstdint>

// libweft_hook.so makes blocking calls of libc suspend the fiber that makes them; docs/hook.md. A program
// gets it by linking weft::hook, or by LD_PRELOAD.

namespace weft::inline v1::hook {

/// Kinds of calls that wait by the fiber where code calls them by their names in libc; a set, combined with
/// `|`.
enum class calls : std::uint32_t {
  none = 0,
  sockets = 1,      ///< recv, send, accept, connect and their kin; read and write of a socket
  descriptors = 2,  ///< read and write of everything else that can be polled: pipes, terminals, eventfds
  polls = 4,        ///< poll, select, epoll_wait
  sleeps = 8,       ///< sleep, usleep, nanosleep, clock_nanosleep
  names = 16,       ///< getaddrinfo, getnameinfo, gethostbyname, gethostbyaddr
  all = 31,
};

constexpr calls operator|(calls one, calls other) noexcept {
  return static_cast<calls>(static_cast<std::uint32_t>(one) | static_cast<std::uint32_t>(other));
}
constexpr calls operator&(calls one, calls other) noexcept {
  return static_cast<calls>(static_cast<std::uint32_t>(one) & static_cast<std::uint32_t>(other));
}

/// Which kinds are hooked, in the whole process from now on; at first all. `none` leaves the wrappers of
/// weft/hook/calls.hpp, which wait by the fiber always. Any thread; calls that wait already go on.
void set_hooked(calls kinds) noexcept;
calls hooked() noexcept;

/// While it lives, the calls of this fiber block its thread, as without the library: for code that holds a
/// pthread mutex, or that must not be interrupted by other fibers. Scopes nest, and hold for this fiber
/// alone, also across its waits. Outside a fiber it has no effect. The wrappers of weft/hook/calls.hpp do not
/// look at it.
class [[nodiscard]] off {
 public:
  off() noexcept;
  off(const off&) = delete;
  off& operator=(const off&) = delete;
  ~off();

 private:
  std::uint64_t task_ = 0;  // 0: not on a fiber
  off* next_ = nullptr;
  friend bool is_off(std::uint64_t task) noexcept;
};

}  // namespace weft::inline v1::hook
