#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/wire/base64.hpp>
#include <weft/wire/random.hpp>

#include "http/bound_until.hpp"
#include "http/chars.hpp"
#include "http/head_parser.hpp"
#include "http/proxy.hpp"
#include "http/url.hpp"
#include "http/websocket/handshake.hpp"
#include "http/websocket/websocket_impl.hpp"

namespace weft::inline v1::http {

namespace {

std::string make_request(const detail::url& to, const std::string& key, const websocket_options& options,
                         const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string head =
      "GET " + to.target + " HTTP/1.1\r\nHost: " + to.origin.authority +
      "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
      key + "\r\n";
  for (std::size_t i = 0; i < options.protocols.size(); ++i) {
    if (!detail::token_bytes.spells(options.protocols[i]))
      throw error(errc::invalid_argument,
                  "websocket: connect: \"" + options.protocols[i] + "\" is no name of a subprotocol");
    head.append(i == 0 ? "Sec-WebSocket-Protocol: " : ", ").append(options.protocols[i]);
  }
  if (!options.protocols.empty()) head += "\r\n";
  if (options.compression)
    head.append("Sec-WebSocket-Extensions: ")
        .append(detail::deflate_offer(*options.compression))
        .append("\r\n");
  for (const auto& [name, value] : headers) {
    if (!detail::token_bytes.spells(name) || !detail::is_field_value(value))
      throw error(errc::invalid_argument,
                  "websocket: connect: header " + name + " has a byte that no header may have");
    head.append(name).append(": ").append(value).append("\r\n");
  }
  return head + "\r\n";
}

/// Through a proxy always in a tunnel, which needs no understanding of WebSockets.
detail::transport open_stream(const detail::origin& to, const websocket_options& options, steady_time until) {
  const net::tls::client_context* const tls = options.tls ? &*options.tls : nullptr;
  const auto by = detail::proxy_for(to, options.proxy, options.proxy_from_environment);
  return by ? detail::open_over(detail::tunnel_to(to, *by, until), to, tls, until)
            : detail::connect_to(to, tls, until);
}

[[noreturn]] void throw_late() { throw error(errc::timed_out, "there was no handshake in time"); }

void read_answer(detail::transport& from, detail::byte_buffer& buffer, detail::response_parser& parser,
                 steady_time until) {
  while (true) {
    parser.restart("GET");  // the buffer moves only between attempts
    const detail::progress parsed = parser.advance(buffer.readable());
    if (parsed == detail::progress::done) {
      const int status = parser.head().status;
      if (status == 101 || status >= 200) return;
      buffer.consume(parser.head_bytes());  // 103 Early Hints and its like
      continue;
    }
    if (parsed == detail::progress::refused) throw error(errc::malformed, parser.why_refused().why);
    const auto room = buffer.room();
    const std::optional<std::size_t> count = from.read_some_until(room, until);
    if (!count) throw_late();
    if (*count == 0) throw error(errc::unavailable, "the server closed the connection without an answer");
    buffer.commit(*count);
  }
}

/// What came of the offer to compress messages.
std::optional<detail::deflate_agreement> agreed_compression(const detail::response_head& answer,
                                                            const websocket_options& options) {
  std::optional<detail::deflate_agreement> agreed;
  for (const header& field : answer.fields) {
    if (!same_name(field.name, "Sec-WebSocket-Extensions") || field.value.empty()) continue;
    if (options.compression && !agreed)
      agreed = detail::read_deflate_answer(field.value, *options.compression);
    else
      agreed.reset();
    if (!agreed) throw error(errc::malformed, "the server uses an extension that was not offered");
  }
  return agreed;
}

/// The subprotocol that the server chose.
std::string check_answer(const detail::response_head& answer, const std::string& key,
                         const websocket_options& options) {
  const auto field = [&](std::string_view name) { return find_header(answer.fields, name).value_or(""); };
  if (answer.status != 101) {
    throw error(errc::refused, "the server answers " + std::to_string(answer.status) + " " +
                                   std::string(reason_phrase(answer.status)));
  }
  if (!same_name(field("Upgrade"), "websocket") || !has_list_token(field("Connection"), "upgrade") ||
      field("Sec-WebSocket-Accept") != detail::websocket_accept_text(key)) {
    throw error(errc::malformed, "the server's handshake is none");
  }
  std::string protocol(field("Sec-WebSocket-Protocol"));
  if (!protocol.empty() &&
      std::find(options.protocols.begin(), options.protocols.end(), protocol) == options.protocols.end())
    throw error(errc::malformed, "the server chose a subprotocol that was not offered");
  return protocol;
}

}  // namespace

websocket websocket::connect(std::string_view url, websocket_options options,
                             const std::vector<std::pair<std::string, std::string>>& headers) {
  const detail::url to = detail::read_url(url, "ws", "websocket: connect to");
  detail::check_compression(options);
  const std::string key = wire::to_base64(wire::random_bytes(16));
  const std::string request = make_request(to, key, options, headers);
  const steady_time until = detail::bound_until(options.connect_timeout);
  try {
    detail::transport stream = open_stream(to.origin, options, until);
    const std::string_view all = request;
    if (!stream.write_all_until({&all, 1}, until)) throw_late();
    detail::byte_buffer buffer;
    detail::response_parser parser{limits{}};
    read_answer(stream, buffer, parser, until);
    std::string protocol = check_answer(parser.head(), key, options);
    const std::string received(buffer.readable().substr(parser.head_bytes()));
    return websocket(std::make_unique<impl>(std::move(stream), received, options, std::move(protocol),
                                            agreed_compression(parser.head(), options)));
  } catch (const error& failed) {
    throw error(failed.code(), "websocket: connect to " + std::string(url) + ": " + failed.message());
  }
}

}  // namespace weft::inline v1::http
