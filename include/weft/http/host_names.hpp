#pragma once

#include <span>
#include <string>
#include <string_view>

#include <weft/net/endpoint.hpp>

// By which names a request may ask for a server that trusts whoever is at this machine. A web page elsewhere
// can have its own name lead here (DNS rebinding), so a server of that kind answers to names that it knows
// only.

namespace weft::inline v1::http {

/// Is that this machine, whatever a name server says: "localhost", an address of 127.0.0.0/8, or "::1"?
/// Without a port and brackets.
bool is_loopback(std::string_view host) noexcept;

/// What a Host field names, without its port: "example.org" of "example.org:80", "[::1]" of "[::1]:80". Empty
/// where it is no such field.
std::string_view without_port(std::string_view host_field) noexcept;

/// Is a Host field one of this machine? With or without a port.
bool names_loopback(std::string_view host_field) noexcept;

/// The same, or is it one of `hosts`? These are without a port; letters are compared without their case.
bool names_loopback_or(std::span<const std::string> hosts, std::string_view host_field) noexcept;

/// Can only this machine connect there: a Unix socket, or an address of loopback?
bool is_local(const net::endpoint& at) noexcept;

}  // namespace weft::inline v1::http
