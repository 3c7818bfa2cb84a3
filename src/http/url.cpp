#include "http/url.hpp"

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

std::string origin::text() const {
  if (server.is_unix()) return server.text();
  return (secure ? "https://" : "http://") + server.text();
}

origin origin_of(std::string_view authority, bool secure) {
  const std::size_t colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  const std::string port = secure ? ":443" : ":80";
  const std::string full = has_port ? std::string(authority) : std::string(authority) + port;
  origin made{.secure = secure,
              .server = net::endpoint::parse(full),
              .authority = std::string(authority),
              .name = {}};
  if (has_port && authority.ends_with(port)) made.authority.resize(colon);
  made.name = made.server.host();
  return made;
}

url read_url(std::string_view text, std::string_view scheme, const std::string& tried) {
  const auto refuse = [&](const std::string& why) {
    throw error(errc::invalid_argument, tried + " \"" + std::string(text) + "\": " + why);
  };
  std::string_view rest = text;
  const bool known = same_name(rest.substr(0, scheme.size()), scheme);
  if (known) rest.remove_prefix(scheme.size());
  const bool secure = known && same_name(rest.substr(0, 1), "s");
  if (secure) rest.remove_prefix(1);
  if (!known || !rest.starts_with("://"))
    refuse("write " + std::string(scheme) + "://host:port/path, or " + std::string(scheme) + "s://");
  rest.remove_prefix(3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string target(rest.substr(
      end, rest.find('#') == std::string_view::npos ? std::string_view::npos : rest.find('#') - end));
  if (!target.starts_with('/')) target.insert(target.begin(), '/');
  if (!target_bytes.spells(target)) refuse("the path must be percent-encoded");
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos) refuse("a user's name has no place there");
  if (!host_bytes.spells(authority)) refuse("its host has a character that no host has");
  origin made = origin_of(authority, secure);
  if (made.server.is_unix()) refuse("a Unix socket has no place there");
  return {std::move(made), std::move(target)};
}

cookie_place cookie_place_of(const url& one) {
  const std::string_view target = one.target;
  return {.host = one.origin.name.empty() ? one.origin.server.path() : one.origin.name,
          .path = target.substr(0, target.find('?')),
          .secure = one.origin.secure};
}

transport open_over(net::stream connected, const origin& to, const net::tls::client_context* tls,
                    steady_time until) {
  if (!to.secure) return connected;
  const net::tls::client_context& with = tls != nullptr ? *tls : net::tls::client_context::common();
  return net::tls::stream::connect(std::move(connected), with, to.name, until);
}

transport connect_to(const origin& to, const net::tls::client_context* tls, steady_time until) {
  return open_over(net::stream::connect(to.server, until), to, tls, until);
}

}  // namespace weft::inline v1::http::detail
