#pragma once

#include <optional>
#include <string>

#include <weft/core/clock.hpp>
#include <weft/http/client.hpp>
#include <weft/net/endpoint.hpp>

#include "http/url.hpp"

namespace weft::inline v1::http::detail {

/// A proxy that requests go through.
struct proxy {
  net::endpoint server;
  std::string authorization = {};  ///< of Proxy-Authorization; empty: none
};

/// Reads "http://host:port" or "http://user:password@host:port". Throws weft::error (invalid_argument), which
/// does not show the password.
proxy read_proxy(std::string_view url);

/// The one to be used for `to`: `named`, or, with `from_environment`, the one that the environment names;
/// nothing where it is asked directly. Throws as read_proxy.
std::optional<proxy> proxy_for(const origin& to, const std::string& named, bool from_environment);

/// A tunnel through the proxy (CONNECT). Throws weft::error: refused where the proxy does not want to.
net::stream tunnel_to(const origin& to, const proxy& by, steady_time until);

}  // namespace weft::inline v1::http::detail
