#pragma once

#include <weft/core/unique_fd.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::workers::detail {

/// The socket of a server, without the runtime that net::listener needs: a fork server has none.
struct listening_socket {
  unique_fd socket;  ///< does not wait
  net::endpoint at;  ///< with the real port
};

/// Binds and listens. `mode` is for the file of a Unix socket; one that nobody listens on is replaced.
/// Throws weft::error that names the address: busy where another server answers there.
listening_socket listen_at(const net::endpoint& at, unsigned mode);

}  // namespace weft::workers::detail
