#pragma once

#include <cstddef>

namespace weft::inline v1::http {

/// Bounds on one message. A request that passes one of them is answered with the status named
/// beside it and the connection is closed; a response that does is an error of the client's call.
struct limits {
  std::size_t request_line_bytes_max = 8 * 1024;  ///< method, target and version: 414
  std::size_t head_bytes_max = 64 * 1024;         ///< request line and all header fields: 431
  std::size_t header_count_max = 100;             ///< header fields: 431
  std::size_t body_bytes_max = 1024 * 1024;       ///< body after decoding: 413
};

}  // namespace weft::inline v1::http
