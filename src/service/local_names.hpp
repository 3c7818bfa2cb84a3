#pragma once

#include <string_view>

#include <weft/net/endpoint.hpp>

namespace weft::inline v1::ops::detail {

/// Is that this machine, whatever a name server says: "localhost", an address of 127.0.0.0/8, or "::1"?
/// Without a port and brackets.
bool is_loopback(std::string_view host) noexcept;

/// Is a Host field of a request one of this machine? With or without a port.
bool names_loopback(std::string_view host_field) noexcept;

/// Can only this machine connect there?
bool is_local(const net::endpoint& at) noexcept;

}  // namespace weft::inline v1::ops::detail
