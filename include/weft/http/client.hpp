#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/http/cookie_jar.hpp>
#include <weft/http/limits.hpp>
#include <weft/http/response.hpp>
#include <weft/http/streamed_response.hpp>
#include <weft/net/tls/context.hpp>

namespace weft::inline v1::http {

/// Bounds of a client. A time of zero means no bound.
struct client_options {
  http::limits limits = {.body_bytes_max = 16 * 1024 * 1024};  ///< of responses
  std::size_t connections_max = 64;  ///< at a time; more requests wait for one to end
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds timeout{60'000};  ///< for a whole request, the wait for a connection included
  std::chrono::milliseconds idle_timeout{30'000};  ///< a connection unused for longer is not used again
  /// Redirects followed for one request, by RFC 9110; 0: none, the caller sees them. Credentials, a client
  /// certificate among them, stay with the server they were given for, and https is not left.
  std::size_t redirects_max = 0;
  /// Requests go through this proxy: "http://host:port" or "http://user:password@host:port"; https in a
  /// tunnel (CONNECT). Empty: none.
  std::string proxy = {};
  /// Without one, the proxy that the environment names: http_proxy, https_proxy or HTTPS_PROXY, unless
  /// no_proxy or NO_PROXY lists the server.
  bool proxy_from_environment = false;
  /// Asks for answers in gzip or deflate (Accept-Encoding) and decodes them; the header fields stay as they
  /// came, so that Content-Length is of what came. Not for requests that bring an Accept-Encoding or a Range
  /// of their own: their answers are given as they come. An answer in an encoding that was not asked for is
  /// an error (unsupported).
  bool decompresses = true;
  /// Bytes of an answer for one that came, beyond the first 64 KiB; more is an error (too_large). The bound
  /// of the whole, `limits.body_bytes_max`, holds for what comes and for what it becomes.
  std::size_t decompression_ratio_max = 200;
  /// Keeps the cookies of answers, those of redirects too, and sends them along; may be shared by clients.
  /// Requests that bring a Cookie field of their own have only that. Null: cookies are neither kept nor sent.
  std::shared_ptr<cookie_jar> cookies = {};
  std::optional<net::tls::client_context> tls =
      {};  ///< for https; nothing: net::tls::client_context::common()
};

/// What goes with one request.
struct request_options {
  std::string content_type = {};  ///< of the body; empty: none is named
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::chrono::milliseconds> timeout = {};  ///< instead of the client's
  /// The trace and the baggage of the task go along (traceparent, tracestate, baggage): for servers of one's
  /// own.
  bool sends_trace = false;
  /// The body goes out in gzip (Content-Encoding), unless that makes it no smaller; that of upload() always.
  /// For servers that take it: a server of weft's does with http::decompress(). Not beside a Content-Encoding
  /// of one's own (invalid_argument).
  bool compresses_body = false;
  /// Asks the server for trailers (TE: trailers), which most send only then.
  bool takes_trailers = false;
  /// For upload(): called once behind the last piece, gives the fields that go behind the body, such as a
  /// digest of it. The connection is closed where it throws, or gives what may not be a trailer
  /// (invalid_argument).
  std::function<std::vector<std::pair<std::string, std::string>>()> trailers = {};
};

/// Where a streamed body comes from: gives the next piece, valid until the next call; empty at its end. It
/// may wait: it is called when the piece before has been taken by the socket.
using body_pieces = std::function<std::string_view()>;

/// What a client did so far.
struct client_statistics {
  std::uint64_t requests = 0;
  std::uint64_t connections = 0;  ///< made
  std::uint64_t repeated = 0;     ///< requests sent again because a kept connection was stale
  std::size_t idle = 0;           ///< connections kept now
};

/// Sends requests to one server and keeps connections for the next ones.
///
///     weft::http::client client{"http://127.0.0.1:8080"};
///     weft::http::response got = client.get("/users/7");
///
/// A response with any status is a response; redirects are followed where client_options says so. Failures
/// throw weft::error: unavailable (no server, or it closed early), timed_out, malformed or too_large. A kept
/// connection that turns out to be closed is replaced once, where the request cannot have been served: its
/// head was not sent, or GET, HEAD, PUT, DELETE, OPTIONS. The id of the request in whose work it is used
/// (request_id) goes along as X-Request-Id, and what is left of the task's deadline as
/// request_timeout_header.
///
/// Thread-safety: any number of fibers of one run; made and destroyed inside it. Cancellation and the
/// task's deadline end a request; its connection is closed.
class client {
 public:
  /// `url` is "http://host:port", with port 80 where it is left out, "https://host:port", with port 443, or
  /// "unix:/path".
  explicit client(std::string_view url, client_options options = {});
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client();

  /// `target` is a path with a query, percent-encoded: "/users?page=2".
  response get(std::string_view target, const request_options& options = {}) {
    return send("GET", target, {}, options);
  }
  response head(std::string_view target, const request_options& options = {}) {
    return send("HEAD", target, {}, options);
  }
  response post(std::string_view target, std::string_view body, const request_options& options = {}) {
    return send("POST", target, body, options);
  }
  response put(std::string_view target, std::string_view body, const request_options& options = {}) {
    return send("PUT", target, body, options);
  }
  response patch(std::string_view target, std::string_view body, const request_options& options = {}) {
    return send("PATCH", target, body, options);
  }
  /// DELETE.
  response del(std::string_view target, const request_options& options = {}) {
    return send("DELETE", target, {}, options);
  }
  /// Any method.
  response send(std::string_view method, std::string_view target, std::string_view body,
                const request_options& options = {});

  /// As send(), but gives the response when its head is here; the body is read from it, of any size.
  streamed_response open(std::string_view method, std::string_view target, std::string_view body = {},
                         const request_options& options = {});
  /// As open(), and the request's body is sent in pieces, too (chunked), and never twice. All of it is sent
  /// before the response is read. An exception of `body` passes; the connection is closed then.
  streamed_response upload(std::string_view method, std::string_view target, const body_pieces& body,
                           const request_options& options = {});

  /// Closes the connections that are kept and not in use.
  void close_idle();
  client_statistics statistics() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace weft::inline v1::http
