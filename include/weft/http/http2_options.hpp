#pragma once

#include <cstddef>

namespace weft::inline v1::http {

/// HTTP/2 of a server: whether it is spoken, and its bounds for each connection. A client that passes one of
/// those which no honest one does (`resets_max`, `control_frames_max`) is told so (GOAWAY, ENHANCE_YOUR_CALM)
/// and the connection ends.
///
/// The bounds of requests are those of http::limits and server_options; a head over `head_bytes_max` is
/// answered with 431, one sixteen times that long ends the connection.
struct http2_options {
  /// Over TLS where the client offers h2 (ALPN), without TLS where it begins with HTTP/2's preface. Without
  /// nghttp2 in this build of weft, nobody is offered it.
  bool enabled = true;
  std::size_t streams_max =
      100;  ///< requests at once on a connection; more are refused and may be tried again
  std::size_t stream_window_bytes = 256 * 1024;       ///< of a body that came and was not read by its handler
  std::size_t connection_window_bytes = 1024 * 1024;  ///< on their way to this side, of all bodies
  /// Bytes of bodies that are gathered for handlers which do not stream them, of one connection, until those
  /// handlers have ended; and one more body, whatever its size. Beyond it clients wait, and where that is not
  /// enough the newest requests are refused and may be tried again. The default has room for the first
  /// `stream_window_bytes` of each of `streams_max` bodies.
  std::size_t gathered_bytes_max = 32 * 1024 * 1024;
  std::size_t frame_bytes_max = 16 * 1024;  ///< of one frame to this side; 16 KiB to 16 MiB - 1
  /// Requests that a client gives up, that break the protocol or are beyond `streams_max`, in 10 s; at
  /// least 1.
  std::size_t resets_max = 500;
  /// Frames that carry nothing of a request in 10 s: PING, SETTINGS, PRIORITY, GOAWAY, empty DATA,
  /// CONTINUATION, WINDOW_UPDATE by a few bytes, what is of requests that are over, unknown types; at
  /// least 10.
  std::size_t control_frames_max = 2000;
};

}  // namespace weft::inline v1::http
