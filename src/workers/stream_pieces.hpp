#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include <weft/codec/bytes.hpp>

namespace weft::inline v1::workers::detail {

/// The reading end of a stream: puts parts together to pieces, keeps those that nobody has taken yet, and
/// tells how many bytes its writer may send more. One task at a time.
class stream_pieces {
 public:
  explicit stream_pieces(std::size_t piece_bytes_max) : piece_bytes_max_(piece_bytes_max) {}

  /// A part has come. Throws weft::error: too_large for a piece that has become longer than the limit,
  /// malformed where the writer sends more than it may.
  void add(bytes part, bool is_last);
  /// No further part comes.
  void end() noexcept { ended_ = true; }
  /// Nobody wants any piece more.
  void pass_over() noexcept;

  bool has_piece() const noexcept { return !kept_.empty(); }
  bool is_ended() const noexcept { return ended_; }
  std::optional<bytes> take();
  /// What the writer may be granted now; 0 where that is not worth a frame yet.
  std::uint64_t take_grant() noexcept;

 private:
  struct kept_piece {
    bytes whole;
    std::uint64_t held_back = 0;  // bytes of it that were not granted again
  };
  void give_back(std::uint64_t taken) noexcept;

  std::size_t piece_bytes_max_;
  std::deque<kept_piece> kept_;
  kept_piece coming_;
  std::uint64_t under_way_ = 0;  // received and not granted again
  std::uint64_t to_grant_ = 0;
  bool ended_ = false;
  bool passes_over_ = false;
};

}  // namespace weft::inline v1::workers::detail
