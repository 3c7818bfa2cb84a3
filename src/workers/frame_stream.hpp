#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/wire/frame.hpp>

#include "workers/byte_stream.hpp"

namespace weft::workers::detail {

/// Frames over a connection, which outlives it; otherwise as byte_stream.
class frame_stream {
 public:
  frame_stream(byte_stream& connection, std::size_t message_bytes_max)
      : connection_(connection), reader_(message_bytes_max) {}

  /// The next frame. Throws weft::error: too_large, malformed.
  stream_end read(wire::frame& into, steady_time until);
  /// Exactly `count` raw bytes, before the first frame.
  stream_end read_raw(std::string& into, std::size_t count, steady_time until);
  stream_end write(std::span<const std::byte> data, steady_time until) {
    return connection_.write(data, until);
  }
  /// The same with descriptors along with the first byte.
  stream_end write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
                        steady_time until) {
    return connection_.write_with(data, descriptors, until);
  }

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() const noexcept { return reader_.pending_bytes() == 0 && connection_.is_quiet(); }
  /// Descriptors that came with what was read so far.
  std::vector<unique_fd>& descriptors() noexcept { return connection_.descriptors(); }

 private:
  byte_stream& connection_;
  wire::frame_reader reader_;
};

}  // namespace weft::workers::detail
