#include "proxy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <weft/context/cancellation.hpp>
#include <weft/fiber/scope.hpp>
#include <weft/http/status_error.hpp>
#include <weft/http/websocket.hpp>
#include <weft/net/endpoint.hpp>

using namespace std::chrono_literals;
namespace http = weft::http;

namespace reverse_proxy {
namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), [](unsigned char c) { return std::tolower(c); });
  return made;
}

/// Fields that are meant for one connection (RFC 9110, 7.6.1), that Connection names, or that each side makes
/// itself.
bool stays_here(std::string_view name, std::string_view connection) {
  constexpr std::array<std::string_view, 13> own{"connection",
                                                 "keep-alive",
                                                 "proxy-connection",
                                                 "proxy-authenticate",
                                                 "proxy-authorization",
                                                 "te",
                                                 "trailer",
                                                 "transfer-encoding",
                                                 "upgrade",
                                                 "host",
                                                 "content-length",
                                                 "date",
                                                 "x-request-id"};
  const std::string small = lower(name);
  return std::find(own.begin(), own.end(), small) != own.end() || http::has_list_token(connection, small);
}

http::request_options forwarded(http::request& in) {
  http::request_options made;
  const std::string_view connection = in.header("Connection").value_or("");
  for (const http::header& field : in.headers()) {
    if (!stays_here(field.name, connection)) made.headers.emplace_back(field.name, field.value);
  }
  made.headers.emplace_back("X-Forwarded-For", in.peer().host());
  made.headers.emplace_back("X-Forwarded-Host", in.host());
  return made;
}

/// The answer goes on piece by piece: a slow client makes the upstream wait. One that is gone ends the
/// handler, and with it the connection to the upstream.
void relay_answer(http::streamed_response& got, http::response& out) {
  out.status(got.status());
  const std::string_view connection = got.header("Connection").value_or("");
  std::string_view fields = got.fields();
  while (!fields.empty()) {
    const std::string_view line = fields.substr(0, fields.find("\r\n"));
    fields.remove_prefix(line.size() + 2);
    const std::string_view name = line.substr(0, line.find(':'));
    if (!stays_here(name, connection)) out.add_header(name, line.substr(name.size() + 2));
  }
  for (std::string_view piece; !(piece = got.read_body()).empty();) out.write(piece);
}

void relay_request(http::request& in, http::response& out, upstream& to) {
  try {
    weft::with_timeout(to.deadline, [&] {
      const bool has_body = in.content_length() != 0u;
      const http::body_pieces body = [&] { return in.read_body(); };
      const http::request_options with = forwarded(in);
      auto got = has_body ? to.client.upload(in.method(), in.target(), body, with)
                          : to.client.open(in.method(), in.target(), {}, with);
      relay_answer(got, out);
    });
  } catch (const weft::deadline_exceeded&) {
    if (out.is_streaming()) throw;
    throw http::status_error(504, "the server behind takes too long");
  } catch (const http::status_error&) {
    throw;  // about what the client sent
  } catch (const weft::error& failed) {
    if (out.is_streaming() || failed.code() == weft::errc::closed) throw;
    throw http::status_error(502, "the server behind does not answer");
  }
}

void relay_messages(http::websocket& from, http::websocket& to) {
  while (auto message = from.read()) {
    if (message->kind == http::websocket_kind::text) {
      to.send(message->data);
    } else {
      to.send_binary(message->data);
    }
  }
  to.close();
}

void relay_websocket(http::request& in, http::response& out, const upstream& to) {
  http::websocket back = http::websocket::connect("ws" + to.url.substr(4) + std::string(in.target()));
  http::websocket front = http::accept_websocket(in, out);
  weft::with_scope([&](weft::scope& both) {
    both.go([&] { relay_messages(front, back); });
    relay_messages(back, front);
  });
}

}  // namespace

void add_routes(http::server& front, upstream& to) {
  const auto handle = [&to](http::request& in, http::response& out) {
    if (lower(in.header("Upgrade").value_or("")) == "websocket") return relay_websocket(in, out, to);
    relay_request(in, out, to);
  };
  for (const char* const method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    for (const char* const path : {"/", "/{path...}"}) {
      front.route(
          method, path, handle,
          {.streams_body = true, .body_bytes_max = SIZE_MAX, .body_timeout = 0ms, .handler_timeout = 0ms});
    }
  }
}

}  // namespace reverse_proxy
