#pragma once

#include <string>

#include <weft/net/endpoint.hpp>

namespace weft::http::detail {

/// Where the host of a URL is to be found: at port 80 where it names none.
inline net::endpoint endpoint_of(const std::string& authority) {
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
  return net::endpoint::parse(has_port ? authority : authority + ":80");
}

}  // namespace weft::http::detail
