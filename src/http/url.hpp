#pragma once

#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/http/cookie_jar.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/tls/context.hpp>

#include "http/transport.hpp"

namespace weft::inline v1::http::detail {

/// A server as a URL names it.
struct origin {
  bool secure = false;
  net::endpoint server;
  std::string authority;  ///< for the Host header: as written, without a default port
  std::string name;       ///< for the certificate: a host name or an address without brackets

  /// "https://name:port"; for messages, and to be compared.
  std::string text() const;
};

/// "name", "name:8080", "[::1]:8080": the port is 80, or 443 with `secure`, where there is none. Throws
/// weft::error (invalid_argument).
origin origin_of(std::string_view authority, bool secure);

struct url {
  detail::origin origin;
  std::string target;  ///< begins with '/'; without the fragment
};

/// Reads "scheme://authority/path?query" with that scheme, or with the same and an 's' behind it. Throws
/// weft::error (invalid_argument) that begins with `tried`.
url read_url(std::string_view text, std::string_view scheme, const std::string& tried);

/// Views into it; a Unix socket is a host by its path.
cookie_place cookie_place_of(const url& one);

/// HTTP over a connection to it, with a TLS handshake where it is secure.
transport open_over(net::stream connected, const origin& to, const net::tls::client_context* tls,
                    steady_time until);
/// Connects to it; all until `until`.
transport connect_to(const origin& to, const net::tls::client_context* tls, steady_time until);

}  // namespace weft::inline v1::http::detail
