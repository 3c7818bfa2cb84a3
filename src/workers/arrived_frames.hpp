#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

#include <weft/wire/frame.hpp>

#include "workers/protocol.hpp"

namespace weft::inline v1::workers::detail {

/// So many notes of progress wait for who is told, at most, with so many bytes altogether; the last one is
/// always kept.
inline constexpr std::size_t progress_kept_max = 256;
inline constexpr std::size_t progress_kept_bytes_max = std::size_t{256} * 1024;

/// A frame of a call.
struct arrived_frame {
  wire::frame frame;
  std::uint64_t dropped = 0;  ///< notes of progress that were dropped before this one
  std::uint64_t order = 0;    ///< among the frames of its call
};

/// Frames of one call that have come and that nobody has taken yet. However long that lasts, and whatever the
/// worker sends, they are bounded: of progress the latest notes are kept, a stream has its window, and what
/// nobody knows is not kept at all.
///
/// Its user locks. Frames go in and out in lists, so that it neither allocates nor frees.
class arrived_frames {
 public:
  using list = std::list<arrived_frame>;

  /// Without `keeps_progress` nobody is told of it.
  explicit arrived_frames(bool keeps_progress) noexcept : keeps_progress_(keeps_progress) {}

  /// Takes in the one frame of `one`; what is not kept is in there afterwards. False where the worker has
  /// sent more than it may.
  bool add(list& one) noexcept;
  bool is_empty() const noexcept { return notes_.empty() && others_.empty(); }
  /// The next one in the order they came.
  list take() noexcept;

 private:
  void add_note(list& one) noexcept;
  void drop_note(list& into) noexcept;

  bool keeps_progress_;
  list notes_;   // of progress
  list others_;  // all else
  std::uint64_t last_order_ = 0;
  std::uint64_t dropped_ = 0;       // before the first of the notes
  std::size_t notes_bytes_ = 0;     // of their payloads
  std::uint64_t stream_taken_ = 0;  // of the window, by what waits here
  bool has_stream_ended_ = false;
  std::size_t asks_ = 0;
};

}  // namespace weft::inline v1::workers::detail
