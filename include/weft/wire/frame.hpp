#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::wire {

/// One message on a stream (docs/formats/frame.md). Meaning of type and flags is the protocol's.
struct frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint64_t request_id = 0;  ///< joins an answer to its request
  bytes payload;

  bool operator==(const frame&) const = default;
};

/// Bytes of a frame without payload.
inline constexpr std::size_t frame_header_bytes = 16;

/// Adds the frame's bytes to `out`. Throws weft::error (too_large) for a payload over 2^32-1 bytes.
void append_frame(bytes& out, std::uint8_t type, std::uint8_t flags, std::uint64_t request_id,
                  std::span<const std::byte> payload);

/// Adds a frame's header, for a payload that the caller appends then. Gives its place, for end_frame.
std::size_t begin_frame(bytes& out, std::uint8_t type, std::uint8_t flags, std::uint64_t request_id);
/// All behind the header at `begin` is its payload. Throws as append_frame.
void end_frame(bytes& out, std::size_t begin);

/// The frame's bytes.
bytes to_bytes(const frame& one);

/// Makes frames of a stream's bytes, however they are split. Not thread-safe.
class frame_reader {
 public:
  static constexpr std::size_t payload_bytes_max_default = 16 * 1024 * 1024;

  explicit frame_reader(std::size_t payload_bytes_max = payload_bytes_max_default)
      : payload_bytes_max_(payload_bytes_max) {}

  /// Adds what was read from the stream.
  void append(std::span<const std::byte> data);

  /// The next complete frame; nothing where more bytes are needed. Throws weft::error: too_large
  /// for a payload over the limit (as soon as its header is there), malformed for a header with
  /// reserved bits; both again at each later call, as the stream cannot be read on.
  std::optional<frame> next();

  /// Bytes that wait for the rest of their frame. At the end of a stream anything but 0 means that
  /// it was cut off.
  std::size_t pending_bytes() const noexcept;

 private:
  void begin_long(frame&& header, std::span<const std::byte> payload, std::uint64_t size);

  std::size_t payload_bytes_max_;
  bytes buffer_;
  std::size_t begin_ = 0;      // of the next frame in buffer_
  std::optional<frame> long_;  // the frame before that, of which the payload is read into its place
  std::size_t missing_ = 0;    // bytes of its payload
};

}  // namespace weft::inline v1::wire
