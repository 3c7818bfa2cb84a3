#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/net/byte_stream.hpp>

namespace weft::inline v1::net {

/// Bytes that a reader shows; true where they are what was asked for. Valid until its next call.
struct piece {
  std::string_view bytes = {};
  transfer_end end = transfer_end::complete;
  explicit operator bool() const noexcept { return end == transfer_end::complete; }
};

/// Reads a stream in pieces that the reader chooses: up to a delimiter, or of a given size.
///
/// It reads ahead, so the stream is read by it alone from then on. Where the stream ends before a piece is
/// complete, the piece has the rest; where the bound passes, it has what is there so far, and the next call
/// begins with the same bytes. A cancelled call loses nothing. Takes memory as bytes come, up to `bytes_max`,
/// and gives what is more than 64 KiB back when it is empty.
///
/// Thread-safety and errors: those of the stream. The stream outlives it.
class buffered_reader {
 public:
  /// `bytes_max`: what one piece may have.
  explicit buffered_reader(byte_stream& from, std::size_t bytes_max = std::size_t{64} * 1024);

  /// Up to the first `delimiter`, which is not empty, and with it. Throws weft::error (too_large) where it is
  /// not within bytes_max.
  piece read_until(std::string_view delimiter, steady_time until = no_deadline);
  /// `count` bytes. Throws weft::error (too_large) above bytes_max.
  piece read_exactly(std::size_t count, steady_time until = no_deadline);
  /// What is there, at least a byte; empty and end_of_stream at the end.
  piece read_some(steady_time until = no_deadline);

  /// What was read ahead.
  std::string_view buffered() const noexcept { return {data_.data() + begin_, end_ - begin_}; }

 private:
  transfer_end fill(steady_time until);
  piece take(std::size_t count, transfer_end end) noexcept;
  piece incomplete(transfer_end why) noexcept;

  byte_stream& from_;
  const std::size_t bytes_max_;
  std::vector<char> data_;
  std::size_t begin_ = 0;  // of what was not taken yet
  std::size_t end_ = 0;
};

}  // namespace weft::inline v1::net
