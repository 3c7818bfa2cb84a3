#pragma once

#include <sys/socket.h>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::net::detail {

/// A socket address as the system wants it.
struct address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

/// The addresses of an endpoint, best first; at least one. A name is looked up as net::look_up does, which
/// also says what is thrown. `listens` makes "*" every address of the machine.
std::vector<address> resolve(const endpoint& of, bool listens, steady_time until = no_deadline);

/// The same, but looks up on the calling thread: for processes that must not start another one.
std::vector<address> resolve_here(const endpoint& of, bool listens);

/// What `from` says in words.
endpoint to_endpoint(const address& from);

/// A non-blocking, close-on-exec stream socket. Throws weft::error.
unique_fd make_socket(int family, const char* tried);

}  // namespace weft::inline v1::net::detail
