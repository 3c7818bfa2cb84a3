#pragma once

#include <cstddef>

#include <weft/wire/json_stream.hpp>

#include "workers/byte_stream.hpp"

namespace weft::workers::detail::compat {

/// JSON messages over a connection, which outlives it; otherwise as byte_stream.
class message_stream {
 public:
  message_stream(byte_stream& connection, std::size_t message_bytes_max)
      : connection_(connection), messages_(message_bytes_max) {}

  /// The next message. Throws weft::error: too_large, malformed.
  stream_end read(wire::json_value& into, steady_time until);
  stream_end write(std::string_view message, steady_time until);

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() const noexcept { return messages_.is_empty() && connection_.is_quiet(); }
  /// Is there a part of a message?
  bool is_inside_message() const noexcept { return !messages_.is_empty(); }

 private:
  byte_stream& connection_;
  wire::json_stream messages_;
};

}  // namespace weft::workers::detail::compat
