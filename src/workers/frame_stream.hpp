#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/wire/frame.hpp>

#include "workers/byte_stream.hpp"

namespace weft::inline v1::workers::detail {

/// Frames over a connection, which outlives it; otherwise as byte_stream.
class frame_stream {
 public:
  frame_stream(byte_stream& connection, std::size_t message_bytes_max)
      : connection_(connection), reader_(message_bytes_max) {}

  /// The next frame. Throws weft::error: too_large, malformed.
  stream_end read(wire::frame& into, steady_time until);
  /// The next frame of what was read already. Throws as read().
  std::optional<wire::frame> next() { return reader_.next(); }
  /// Reads some bytes.
  stream_end fill(steady_time until);
  /// The parts of fill(), for tasks of which one waits. See byte_stream.
  bool wait_readable(steady_time until) { return connection_.wait_readable(until); }
  stream_end fill_now();
  stream_end fill_aside();
  std::thread::id polled_by() const noexcept { return connection_.polled_by(); }
  /// Exactly `count` raw bytes, before the first frame.
  stream_end read_raw(std::string& into, std::size_t count, steady_time until);
  stream_end write(std::span<const std::byte> data, steady_time until) {
    return connection_.write(data, until);
  }
  /// See byte_stream.
  stream_end write(std::span<const std::byte> data, steady_time until,
                   const std::function<bool()>& meanwhile) {
    return connection_.write(data, until, meanwhile);
  }
  /// The same with descriptors along with the first byte.
  stream_end write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
                        steady_time until) {
    return connection_.write_with(data, descriptors, until);
  }

  /// See byte_stream.
  void shut_down() noexcept { connection_.shut_down(); }

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() const noexcept { return reader_.pending_bytes() == 0 && connection_.is_quiet(); }
  /// Descriptors that came with what was read so far.
  std::vector<unique_fd>& descriptors() noexcept { return connection_.descriptors(); }

 private:
  /// Reads by `read` and keeps it for next().
  template <typename Read>
  stream_end fill_by(Read read);

  byte_stream& connection_;
  wire::frame_reader reader_;
};

}  // namespace weft::inline v1::workers::detail
