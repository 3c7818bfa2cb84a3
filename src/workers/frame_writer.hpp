#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include <weft/codec/bytes.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/spin_lock.hpp>

#include "workers/frame_stream.hpp"

namespace weft::inline v1::workers::detail {

/// Writes frames of many tasks to one stream, which outlives it: whoever finds nobody writing writes, and
/// takes along what others have to send meanwhile. Thread-safe.
class frame_writer {
 public:
  /// `meanwhile`: what whoever writes does now and then while he waits; see byte_stream::write.
  explicit frame_writer(frame_stream& stream, std::function<bool()> meanwhile = {})
      : stream_(stream), meanwhile_(std::move(meanwhile)) {}

  /// Sends whole frames, in the order of the calls. Waits at most until `until`, and not at all where
  /// somebody else is writing. closed after an earlier write failed. With `gathers` tasks that are ready come
  /// first, as they may have more to send. A cancellation point; cancelled, or out of time with a part
  /// written, the stream is of no more use.
  stream_end send(bytes frames, steady_time until, bool gathers);
  /// Waits while somebody writes and much waits behind him. To be called before frames are sent or posted, so
  /// that a peer which does not read holds up those who write, and fills no memory. A cancellation point;
  /// cancelled, the stream is as it was.
  stream_end wait_for_room(steady_time until);
  /// So much was posted that it should be flushed.
  bool is_full() const noexcept;
  /// Was something posted that nobody sends yet?
  bool has_posted() const noexcept;
  /// Keeps frames to send for a later flush().
  void post(bytes frames);
  /// Sends what was posted.
  stream_end flush(steady_time until);

 private:
  /// Frames that wait. What one task hands over, and what is being written, comes on top.
  static constexpr std::size_t waiting_bytes_max = std::size_t{1} << 20U;
  enum class step : unsigned char { idle, writing, ended };

  /// Takes frames along. Nothing where the caller is to write now; else how sending has ended for him.
  std::optional<stream_end> begin(std::list<bytes>& frames);
  stream_end write_all(steady_time until);
  stream_end write(std::list<bytes>& frames, steady_time until);
  void end() noexcept;
  void take_waiting(std::list<bytes>& into) noexcept;

  frame_stream& stream_;
  const std::function<bool()> meanwhile_;
  mutable weft::detail::spin_lock lock_;
  std::list<bytes> waiting_;        // guarded by lock_, as all that follows
  std::size_t waiting_bytes_ = 0;   // of these
  weft::detail::waiter_line full_;  // tasks that wait for room
  step at_ = step::idle;
};

}  // namespace weft::inline v1::workers::detail
