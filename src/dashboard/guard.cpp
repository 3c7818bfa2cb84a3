#include "dashboard/guard.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/http/host_names.hpp>
#include <weft/http/status_error.hpp>
#include <weft/log/log.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::dashboard {

namespace {

using http::status_error;

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> headers{{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
}};

void add_headers(http::response& to) {
  for (const auto& [name, value] : headers) to.header(name, value);
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return made;
}

std::string peer_of(const http::request& in) {
  const auto peer = in.peer();
  return peer.host().empty() ? peer.text() : peer.host();
}

}  // namespace

void audit(const identity& who, const http::request& in, std::string_view action, std::string_view on,
           std::int64_t jobs) {
  log::info("dashboard: changed",
            {{"who", who.name}, {"from", peer_of(in)}, {"action", action}, {"on", on}, {"jobs", jobs}});
}

void guard::protect(http::request& in, http::response& out, http::next& next) {
  add_headers(out);  // also of an answer that is streamed
  if (!http::names_loopback_or(options_.hosts, in.host())) {
    out.status(403).body("the dashboard is not known under this host name; whoever runs it can allow it\n");
    return;
  }
  next.answer();
  if (!out.is_streaming()) add_headers(out);
}

void guard::check_origin(const http::request& in) const {
  const auto origin = in.header("Origin");
  const auto mark = origin ? origin->find("://") : std::string_view::npos;
  if (mark == std::string_view::npos || lower(origin->substr(mark + 3)) != lower(in.host()))
    throw status_error(403, "changes are made by pages of the dashboard only");
}

std::optional<identity> guard::by_token(const http::request& in) {
  constexpr std::string_view scheme = "Bearer ";
  const auto given = in.header("Authorization");
  if (!given || !given->starts_with(scheme)) return std::nullopt;
  const std::string peer = peer_of(in);
  const auto now = steady_clock::now();
  if (!sessions_.may_try(peer, now))
    throw status_error(429, "too many wrong tokens").header("Retry-After", "5");
  const auto as = sessions_.role_of(given->substr(scheme.size()));
  if (!as) {
    sessions_.count_failure(peer, now);
    throw status_error(401, "the token is not known");
  }
  return identity{*as, *as == role::operates ? "operator token" : "viewer token", {}};
}

identity guard::who(const http::request& in) {
  if (auto by = by_token(in)) return std::move(*by);
  const auto cookie = in.cookie(session_cookie);
  auto found = cookie ? sessions_.find(*cookie, steady_clock::now()) : std::nullopt;
  if (!found) throw status_error(401, "log in first");
  return std::move(*found);
}

identity guard::who_changes(const http::request& in) {
  identity by = who(in);
  if (!by.csrf.empty()) {  // a browser sends the cookie whoever asks it to
    check_origin(in);
    if (in.header(csrf_header).value_or("") != by.csrf)
      throw status_error(403, "the page is too old: load it again");
  } else if (in.header("Origin")) {
    check_origin(in);
  }
  if (by.role != role::operates) {
    log::warn("dashboard: refused", {{"who", by.name}, {"from", peer_of(in)}, {"action", in.path()}});
    throw status_error(403, "you may look, but not change anything");
  }
  return by;
}

sessions::opened guard::log_in(const http::request& in, std::string_view token) {
  check_origin(in);
  const std::string peer = peer_of(in);
  const auto now = steady_clock::now();
  if (!sessions_.may_try(peer, now))
    throw status_error(429, "too many wrong tokens; wait a little").header("Retry-After", "5");
  const auto as = sessions_.role_of(token);
  if (!as) {
    sessions_.count_failure(peer, now);
    log::warn("dashboard: wrong token", {{"from", peer}});
    throw status_error(401, "the token is not known");
  }
  auto made = sessions_.open(*as, now);
  log::info(
      "dashboard: logged in",
      {{"who", made.who.name}, {"from", peer}, {"role", *as == role::operates ? "operator" : "viewer"}});
  return made;
}

}  // namespace weft::inline v1::dashboard
