#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <weft/wire/json_stream.hpp>

#include "workers/byte_stream.hpp"

namespace weft::inline v1::workers::detail::compat {

/// JSON messages over a connection, which outlives it; otherwise as byte_stream.
class message_stream {
 public:
  message_stream(byte_stream& connection, std::size_t message_bytes_max)
      : connection_(connection), messages_(message_bytes_max) {}

  /// The next message. Throws weft::error: too_large, malformed.
  stream_end read(wire::json_value& into, steady_time until);
  stream_end write(std::string_view message, steady_time until);

  /// The worker was offered the native protocol and may still accept that, which is passed over.
  void expect_acceptance() noexcept { expects_acceptance_ = true; }
  /// It has.
  bool was_accepted() const noexcept { return was_accepted_; }

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() noexcept;
  /// Is there a part of a message?
  bool is_inside_message() const noexcept { return !messages_.is_empty(); }
  /// What was read and belongs to no whole message that was taken; it is gone from here then.
  std::string take_rest();
  void put_back(std::string_view rest) { messages_.append(rest); }

 private:
  bool pass_over_acceptance();

  byte_stream& connection_;
  wire::json_stream messages_;
  bool expects_acceptance_ = false;
  bool was_accepted_ = false;
};

}  // namespace weft::inline v1::workers::detail::compat
