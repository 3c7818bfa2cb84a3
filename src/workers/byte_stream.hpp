#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::workers::detail {

/// How an attempt to read or write ended.
enum class stream_end : unsigned char { ok, closed, timed_out };

/// Large arguments are read in large pieces; a fiber's stack holds one of them.
inline constexpr std::size_t piece_bytes = std::size_t{16} * 1024;

/// The connection between a client and a worker: bytes, and the descriptors that come along. It owns the
/// socket. One task uses it at a time.
///
/// It may go from one run to another between uses: attach() registers the socket with the poller of
/// the running thread, detach() takes it out. Waits are cancellation points; a cancelled write may
/// have written a part, after which the stream is of no more use.
class byte_stream {
 public:
  explicit byte_stream(unique_fd socket);

  void attach();
  void detach() noexcept;

  /// Some bytes, at most `into.size()`, as soon as there are any.
  stream_end read_some(std::span<char> into, std::size_t& got, steady_time until);
  /// Bytes that were read and belong to the next reader.
  void unread(std::string_view rest) { unread_.insert(0, rest); }
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
  unique_fd socket_;
  io_handle io_;
  bool drained_ = false;  // the last read took all there was
  std::string unread_;
  std::vector<unique_fd> received_;
};

}  // namespace weft::workers::detail
