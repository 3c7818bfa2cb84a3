#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <weft/http/client.hpp>

#include "http/url.hpp"

namespace weft::inline v1::http::detail {

/// A request as a redirect makes it another one.
struct redirected {
  url to;
  std::string method;
  bool keeps_body = true;
};

/// Where a response sends the client; nothing where it is to be taken as it is. Throws weft::error: malformed
/// for a Location that is none, refused where it would leave TLS.
std::optional<redirected> redirect_of(int status, std::optional<std::string_view> location,
                                      std::string_view method, const origin& from, std::string_view target);

/// Without what is meant for the first server alone: Authorization, Cookie, Proxy-Authorization, and, where
/// there is no body any more, what describes it.
request_options options_elsewhere(const request_options& options, bool same_origin, bool keeps_body);

}  // namespace weft::inline v1::http::detail
