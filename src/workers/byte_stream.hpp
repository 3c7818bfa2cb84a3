#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::inline v1::workers::detail {

/// How an attempt to read or write ended.
enum class stream_end : unsigned char { ok, closed, timed_out };

/// Large arguments are read in large pieces; a fiber's stack holds one of them.
inline constexpr std::size_t piece_bytes = std::size_t{16} * 1024;

/// Descriptors that came along and wait to be taken; more are closed.
inline constexpr std::size_t descriptors_max = 4;

/// The connection between a client and a worker: bytes, and the descriptors that come along. It owns the
/// socket. One task uses it at a time.
///
/// It may go from one loop or run to another between uses: attach() registers the socket with the poller of
/// the running thread, and it stays there, as it is mostly used there again. Tasks of other threads wait
/// there, too; where that run ends meanwhile, each of them goes on by itself. Waits are cancellation points;
/// a cancelled write may have written a part, after which the stream is of no more use.
class byte_stream {
 public:
  explicit byte_stream(unique_fd socket);

  /// Before each use that may be in another loop than the last one; nobody may wait here meanwhile.
  void attach();
  /// In a run that still runs, or outside of any; then every task may wait.
  bool is_attached() const noexcept { return outside_ || io_.is_open(); }

  /// Some bytes, at most `into.size()`, as soon as there are any; when `until` has passed, what is there.
  stream_end read_some(std::span<char> into, std::size_t& got, steady_time until);
  /// Waits until there may be something to read. False when `until` passed first. One task at a time.
  bool wait_readable(steady_time until);
  /// What is there, by the task that waits for it; timed_out where nothing is.
  stream_end read_now(std::span<char> into, std::size_t& got);
  /// The same by another task, while that one waits. The caller sees to it that one of them reads at a time.
  stream_end read_aside(std::span<char> into, std::size_t& got) noexcept;
  /// The thread that has to wake who waits here; of none where each waits by itself. Any task, any time.
  std::thread::id polled_by() const noexcept { return polled_by_; }
  /// Bytes that were read and belong to the next reader.
  void unread(std::string_view rest) { unread_.insert(0, rest); }
  stream_end write(std::span<const std::byte> data, steady_time until) { return write(data, until, {}); }
  /// The same; while it waits, `meanwhile` is called now and then, and soon again where it gives true. For a
  /// peer that reads no more as long as nobody reads what it says.
  stream_end write(std::span<const std::byte> data, steady_time until,
                   const std::function<bool()>& meanwhile);
  /// The same with descriptors along with the first byte.
  stream_end write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
                        steady_time until);

  /// Never waits: has the other side closed, or said something that nobody asked for?
  bool is_quiet() const noexcept;
  /// Descriptors that came or will come along are closed: the other side is a stranger.
  void refuse_descriptors() noexcept {
    takes_descriptors_ = false;
    received_.clear();
  }
  /// Descriptors that came with what was read so far, at most descriptors_max.
  std::vector<unique_fd>& descriptors() noexcept { return received_; }
  int fd() const noexcept { return socket_.get(); }
  /// Both sides see the end, also a task that waits here. Any task, any time before the destructor.
  void shut_down() noexcept;

 private:
  enum class direction : unsigned char { in, out };
  long receive(std::span<char> into) noexcept;
  bool wait_for(direction which, steady_time until);
  bool wait_writable(steady_time until, const std::function<bool()>& meanwhile);

  unique_fd socket_;
  io_handle io_;
  std::atomic<std::thread::id> polled_by_{};
  std::atomic<bool> outside_ = false;      // io_ was made outside a run
  std::atomic<bool> run_is_over_ = false;  // in which it was attached, and somebody waits on
  bool drained_ = false;                   // the last read took all there was
  bool takes_descriptors_ = true;
  std::string unread_;
  std::vector<unique_fd> received_;
};

}  // namespace weft::inline v1::workers::detail
