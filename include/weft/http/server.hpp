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

#include <weft/http/http2_options.hpp>
#include <weft/http/limits.hpp>
#include <weft/http/route_group.hpp>
#include <weft/http/router.hpp>
#include <weft/http/trace_headers.hpp>
#include <weft/net/bound_socket.hpp>
#include <weft/net/endpoint.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/tls/context.hpp>

namespace weft::inline v1::http {

/// A request that is over, for the access log. Views are valid during the call.
struct served_request {
  std::string_view method;
  std::string_view target;
  std::string_view route;  ///< the pattern; empty where none was found
  std::string_view id;
  int status = 0;                     ///< 0: nothing was sent
  std::uint64_t body_bytes = 0;       ///< sent, before chunks are counted
  std::chrono::microseconds took{0};  ///< from its head to the end of its answer
};

/// Where a server listens, and its bounds. A time of zero means no bound.
struct server_options {
  std::string listen = "127.0.0.1:8080";  ///< as net::endpoint::parse
  net::listen_options socket = {};
  /// One that listens already, in place of `listen` and `socket`; the server shares it, and leaves its file.
  /// It outlives start().
  const net::bound_socket* listener = nullptr;
  /// How many loops of weft::run serve; 0: all of them. Each connection belongs to one, whose handlers run on
  /// its thread; with more than one, handlers run at the same time.
  std::size_t threads = 1;
  http::limits limits = {};
  http2_options http2 = {};
  /// With it connections are TLS: https, and wss. Where its `protocols` are empty, clients are offered h2, if
  /// this server speaks it, and http/1.1; others than these two are not for it.
  std::optional<net::tls::server_context> tls = {};
  std::chrono::milliseconds handshake_timeout{10'000};  ///< of TLS; as long again for its turn
  std::size_t handshakes_max = 256;                     ///< of TLS at once; more wait
  std::size_t connections_max = 10'000;                 ///< more are answered with 503 and closed
  std::chrono::milliseconds head_timeout{
      10'000};  ///< from a request's first byte to the end of its head: 408
  std::chrono::milliseconds body_timeout{30'000};   ///< for all of the body: 408
  std::chrono::milliseconds idle_timeout{60'000};   ///< between requests: the connection is closed
  std::chrono::milliseconds write_timeout{30'000};  ///< for one response, or one piece of it
  /// Deadline of a handler: 503. A request may bring an earlier one, see request_timeout_header.
  std::chrono::milliseconds handler_timeout{30'000};
  /// What handlers ask for by their parameters; outlives the server. Each request that asks has a child of
  /// it, a per_request one. What is missing is an error of start().
  weft::services* services = nullptr;
  /// Requests that are in handlers at a time; 0 means no bound. More are answered with 503 and Retry-After.
  std::size_t requests_max = 0;
  /// How long a request may have been ready to run before it runs. Where the server has not been at rest for
  /// 100 ms, or would not have been had it turned nobody away, those that waited longer are answered with 503
  /// and Retry-After at once, so that the others are served in time; one in each round of the loop is served
  /// however long it waited. A good bound is about the time that a usual request takes of the processor.
  /// Zero: none are turned away.
  std::chrono::milliseconds queue_delay_max{0};
  /// What requests bring along is around their handlers. With a recorder each request is a span, named by its
  /// route.
  http::trace_headers trace_headers = http::trace_headers::trace;
  /// A log record, of level info, for each request that was answered or left; with a filter for those that it
  /// wants.
  bool access_log = false;
  std::function<bool(const served_request&)> access_log_filter = {};
};

/// How a server stops.
struct stop_options {
  std::chrono::milliseconds grace{10'000};  ///< for requests that run; then they are cancelled
  /// How long connections that wait for a request are kept, within `grace`: one that comes is served, and
  /// told that the connection ends. So nobody sends a request into a connection that is just being closed.
  std::chrono::milliseconds idle_grace{0};
};

/// What a server did so far, on all its threads.
struct server_statistics {
  std::size_t connections = 0;  ///< open now
  std::uint64_t connections_total = 0;
  std::uint64_t requests = 0;             ///< handed to a handler or answered by the router
  std::uint64_t refused_requests = 0;     ///< malformed or over a limit
  std::uint64_t refused_connections = 0;  ///< over connections_max
  std::uint64_t failed_handshakes = 0;    ///< of TLS
  std::uint64_t abandoned_requests = 0;   ///< given up because the client had gone
  std::uint64_t shed_requests = 0;        ///< over requests_max or queue_delay_max
  std::uint64_t http2_connections = 0;    ///< of connections_total, those that spoke HTTP/2
  std::uint64_t http2_violations = 0;     ///< of those, ended because the client broke a rule or a bound
};

namespace detail {
class server_core;
}

/// A server of HTTP/1.1, with a fiber for each connection, on which handlers run one request at a time, and
/// of HTTP/2, with a fiber for each request.
///
///     weft::http::server server{{.listen = "127.0.0.1:8080"}};
///     server.get("/hello/{name}", [](weft::http::request& in) { return "hello " + in.param("name"); });
///     server.run();
///
/// Each request runs with a context frame of its own, in which request_id is bound. An exception of a
/// handler is logged and answered with 500, a status_error with its status; weft::exit ends the
/// request only. A request that is malformed in any way is refused with 400 and its connection closed.
///
/// Thread-safety: made, started and ended by one task; once it is started, statistics(), is_stopping(),
/// address() and stop() are for any fiber of the run. Lifetime: inside one weft::run; its end stops it at
/// once and waits for its fibers.
class server : public detail::route_verbs<server> {
 public:
  explicit server(server_options options = {});
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server();

  /// The routes; to be filled before start().
  router& routes() noexcept;
  void add(std::string_view method, std::string_view pattern, handler work, route_options options = {},
           handler_needs needs = {}) {
    routes().add(method, pattern, std::move(work), options, std::move(needs));
  }
  /// As router::group and router::with.
  route_group group(std::string_view prefix) { return routes().group(prefix); }
  route_group with(middleware work) { return routes().with(std::move(work)); }

  /// As router::use.
  server& use(middleware work) {
    routes().use(std::move(work));
    return *this;
  }
  server& use(std::string_view prefix, middleware work) {
    routes().use(prefix, std::move(work));
    return *this;
  }

  /// Listens and begins to serve, on fibers of its own, in the caller's context. Waits until all its loops
  /// serve. Throws weft::error as net::listener does, not_found where handlers ask for services that nobody
  /// added, and invalid_argument for more threads than the run has.
  void start();
  /// Waits until it has stopped.
  void wait();
  /// start() and wait().
  void run() {
    start();
    wait();
  }

  /// Stops accepting, closes idle connections, lets running requests finish for at most `grace`, and
  /// then cancels them. True if none had to be cancelled. Waits; calling it again has no effect.
  bool stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) {
    return stop(stop_options{.grace = grace});
  }
  bool stop(const stop_options& how);

  /// Has stop() been called?
  bool is_stopping() const noexcept;

  /// Where it listens, with the real port; after start().
  const net::endpoint& address() const;
  /// "http://127.0.0.1:8080"; after start(), for TCP.
  std::string url() const;
  server_statistics statistics() const noexcept;

 private:
  std::unique_ptr<detail::server_core> core_;
};

}  // namespace weft::inline v1::http
