#include "http/websocket/handshake.hpp"

#include <algorithm>
#include <span>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/http/status_error.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/sha1.hpp>

#include "http/chars.hpp"
#include "http/response_access.hpp"
#include "http/websocket/websocket_impl.hpp"

namespace weft::inline v1::http {

namespace {

bool lists(const request& in, std::string_view name, std::string_view token) noexcept {
  return std::any_of(in.headers().begin(), in.headers().end(), [&](const header& one) {
    return same_name(one.name, name) && has_list_token(one.value, token);
  });
}

/// Does the client offer that subprotocol? Their names have cases.
bool offers(const request& in, std::string_view protocol) noexcept {
  for (const header& field : in.headers()) {
    if (!same_name(field.name, "Sec-WebSocket-Protocol")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      if (detail::trim_blanks(rest.substr(0, end)) == protocol) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return false;
}

/// A page of the same host, or one that may; programs say nothing.
bool is_welcome(const request& in, const websocket_options& options) {
  const auto origin = in.header("Origin");
  if (!origin) return true;
  const std::size_t scheme = origin->find("://");
  if (scheme != std::string_view::npos && same_name(origin->substr(scheme + 3), in.host())) return true;
  return std::any_of(options.origins.begin(), options.origins.end(),
                     [&](const std::string& one) { return one == "*" || same_name(one, *origin); });
}

std::string_view checked_key(const request& in) {
  if (in.method() != "GET" || !lists(in, "Upgrade", "websocket") || !lists(in, "Connection", "upgrade")) {
    throw status_error(426, "this is a WebSocket").header("Upgrade", "websocket");
  }
  if (in.header("Sec-WebSocket-Version") != "13") {
    throw status_error(426, "only version 13 of WebSocket is spoken here")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13");
  }
  const auto key = in.header("Sec-WebSocket-Key");
  const auto bytes = key ? wire::from_base64(*key) : std::nullopt;
  if (!bytes || bytes->size() != 16) throw status_error(400, "a bad Sec-WebSocket-Key");
  return *key;
}

}  // namespace

std::string detail::websocket_accept_text(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return wire::to_base64(wire::sha1(std::as_bytes(std::span(text))));
}

void detail::check_compression(const websocket_options& options) {
  if (!options.compression) return;
  const websocket_compression& how = *options.compression;
  if (how.level < 1 || how.level > 9)
    throw error(errc::invalid_argument, "websocket: the level of compression is 1 to 9");
  if (how.window_bits < 9 || how.window_bits > 15)
    throw error(errc::invalid_argument, "websocket: window_bits is 9 to 15");
}

websocket accept_websocket(request& in, response& out, const websocket_options& options) {
  detail::protocol_host* const host = detail::response_access::host(out);
  if (host == nullptr) throw error(errc::misuse, "websocket: accept: the request came over no connection");
  detail::check_compression(options);
  const std::string_view key = checked_key(in);
  if (!is_welcome(in, options)) throw status_error(403, "pages of this origin may not connect");
  std::string protocol;
  for (const std::string& one : options.protocols) {
    if (protocol.empty() && offers(in, one)) protocol = one;
  }
  std::string answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: " +
      detail::websocket_accept_text(key) + "\r\n";
  if (!protocol.empty()) answer.append("Sec-WebSocket-Protocol: ").append(protocol).append("\r\n");
  std::optional<detail::deflate_agreement> deflate;
  if (options.compression) {
    std::string agreed;
    deflate = detail::accept_deflate_offer(in.headers(), *options.compression, agreed);
    if (deflate) answer.append("Sec-WebSocket-Extensions: ").append(agreed).append("\r\n");
  }
  answer.append(detail::response_access::fields(out)).append("\r\n");
  return websocket(std::make_unique<websocket::impl>(*host, answer, options, std::move(protocol), deflate));
}

}  // namespace weft::inline v1::http
