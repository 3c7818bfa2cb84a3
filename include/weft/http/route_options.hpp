#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace weft::inline v1::http {

/// How requests of one route are served; its bounds are in place of the server's. A time of zero means no
/// bound.
struct route_options {
  /// The handler is called as soon as the head has come, and reads the body itself (request::read_body).
  /// Otherwise it is called once all of the body is here and known to be well formed.
  bool streams_body = false;
  std::optional<std::size_t> body_bytes_max = {};
  std::optional<std::chrono::milliseconds> body_timeout = {};
  std::optional<std::chrono::milliseconds> handler_timeout = {};
  /// Neither counted by requests_max nor turned away by it or by queue_delay_max: for health checks, and for
  /// answers that last as long as the client likes.
  bool is_always_admitted = false;
  /// Cancels the handler where the client has closed its connection meanwhile, which is noticed within 200
  /// ms. A client that ended its sending counts as gone, unless it sent more requests first: who closes a TCP
  /// connection for good looks the same from here, until something is sent to him.
  bool ends_with_client = true;
  /// Serves clients that ended their sending behind their request (half-closed) and wait for the answer. Then
  /// ends_with_client cancels the handler only where the connection is broken: reset, or closed for good on a
  /// Unix socket.
  bool serves_half_closed = false;
};

}  // namespace weft::inline v1::http
