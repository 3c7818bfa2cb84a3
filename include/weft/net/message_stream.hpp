#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/net/buffered_reader.hpp>
#include <weft/net/byte_stream.hpp>

namespace weft::inline v1::net {

/// Each message stands behind its length, a number without a sign.
struct length_prefix {
  std::size_t bytes = 4;                                  ///< of the number: 1, 2, 4 or 8
  std::endian order = std::endian::big;                   ///< of its bytes
  std::size_t message_bytes_max = std::size_t{1} << 20U;  ///< longer ones are refused, both ways
};

/// Each message stands before a text that no message contains.
struct delimiter {
  std::string text = "\n";
  std::size_t message_bytes_max = std::size_t{64} * 1024;  ///< longer ones are refused, both ways
};

/// Whole messages over a stream of bytes, which is read and written by it alone from then on.
///
/// One task may read while another writes. A read that a bound or a cancellation ended loses nothing: the
/// next one goes on. A write that ended so may have sent a part, and so ends the stream for writing: the next
/// one throws weft::error (closed), as half a message cannot be taken back.
///
/// Errors: those of the stream, and too_large for a message above the maximum, when its length is known;
/// after that nothing more can be read. Thread-safety: that of the stream, which outlives it.
class message_stream {
 public:
  /// Throws weft::error (invalid_argument).
  message_stream(byte_stream& over, const length_prefix& framing);
  message_stream(byte_stream& over, delimiter framing);

  /// The next message without its frame; end_of_stream where the peer has ended between two messages. Throws
  /// weft::error (unavailable) where it ended within one.
  piece read(steady_time until = no_deadline);
  /// Sends a message; timed_out where the bound passed. Throws weft::error before anything is sent:
  /// too_large, and invalid_argument for a message that contains the delimiter.
  transfer write(std::string_view message, steady_time until = no_deadline);

 private:
  piece read_counted(steady_time until);
  piece read_delimited(steady_time until);
  piece ended(const piece& rest) const;
  void require_size(std::uint64_t bytes, const char* tried) const;

  byte_stream& over_;
  const std::optional<length_prefix> prefix_;
  const std::string delimiter_;  // empty: it is a prefix
  const std::size_t message_bytes_max_;
  buffered_reader reader_;
  std::optional<std::size_t> length_;  // of the message whose prefix was read
  bool cut_short_ = false;             // a message was written in part
};

}  // namespace weft::inline v1::net
