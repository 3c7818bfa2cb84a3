#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/wire/frame.hpp>

namespace weft::workers::detail {

/// How an attempt to read or write ended.
enum class stream_end : unsigned char { ok, closed, timed_out };

/// Frames over a stream socket, which it owns. One task uses it at a time.
///
/// It may go from one run to another between uses: attach() registers the socket with the poller of
/// the running thread, detach() takes it out. Waits are cancellation points; a cancelled write may
/// have written a part, after which the stream is of no more use.
class frame_stream {
 public:
  frame_stream(unique_fd socket, std::size_t message_bytes_max);

  void attach();
  void detach() noexcept;

  /// The next frame. Throws weft::error: too_large, malformed.
  stream_end read(wire::frame& into, steady_time until);
  /// Exactly `count` raw bytes, before the first frame.
  stream_end read_raw(std::string& into, std::size_t count, steady_time until);
  stream_end write(std::span<const std::byte> data, steady_time until);
  /// The same with descriptors along with the first byte.
  stream_end write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
                        steady_time until);

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() const noexcept;
  /// Descriptors that came with what was read so far.
  std::vector<unique_fd>& descriptors() noexcept { return received_; }
  int fd() const noexcept { return socket_.get(); }
  void close() noexcept;

 private:
  long receive(char* buffer, std::size_t capacity);
  stream_end read_some(char* buffer, std::size_t capacity, std::size_t& got, steady_time until);

  unique_fd socket_;
  io_handle io_;
  wire::frame_reader reader_;
  bool drained_ = false;  // the last read took all there was
  std::vector<unique_fd> received_;
};

}  // namespace weft::workers::detail
