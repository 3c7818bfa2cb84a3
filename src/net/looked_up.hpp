#pragma once

#include <vector>

#include <weft/net/bound_socket.hpp>

#include "net/address.hpp"

namespace weft::inline v1::net {

/// An endpoint, and the addresses it was found to have.
struct bound_socket::looked_up {
  endpoint at;
  std::vector<detail::address> addresses;
};

}  // namespace weft::inline v1::net
