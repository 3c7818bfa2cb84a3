#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/net/byte_stream.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::inline v1::detail {
class task_block;
}

namespace weft::inline v1::net {

namespace tls {
class stream;
}

/// When the kernel asks a silent peer whether it is still there.
struct keep_alive {
  std::chrono::seconds idle{60};      ///< silence before the first probe
  std::chrono::seconds interval{10};  ///< between probes
  int probes = 6;                     ///< without an answer, and the connection is broken (timed_out)
};

/// What came with descriptors.
struct received_descriptors {
  std::size_t bytes = 0;  ///< 0: the peer has ended
  std::vector<unique_fd> descriptors;
};

/// One connection: bytes in, bytes out; TCP or Unix socket. Owns the descriptor.
///
/// Waits suspend the fiber. One task may read while another writes; a second one in the same
/// direction gets weft::error (busy) that names both. close() may be called by a third and wakes both.
/// Every wait is a cancellation point; a write that was cancelled or timed out may have sent a part.
/// Errors: weft::error; closed where this side has closed, unavailable where the peer is gone; a
/// transfer_error tells what was sent or read before.
/// Thread-safety: none; used from the thread of the run it was made in.
class stream final : public byte_stream {
 public:
  /// An unconnected stream.
  stream() noexcept = default;
  /// Takes over a connected socket; makes it non-blocking and close-on-exec.
  explicit stream(unique_fd connected);
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept;
  ~stream() override { close(); }

  /// Connects to an address of the name, until `until`. Where it has several, families in turn, a next one is
  /// tried beside the others when one has failed, or has not answered for 250 ms (RFC 8305). Throws
  /// weft::error that says what became of each: unavailable, timed_out, not_found for the name.
  static stream connect(const endpoint& to, steady_time until = no_deadline);
  template <typename Rep, typename Period>
  static stream connect_for(const endpoint& to, std::chrono::duration<Rep, Period> bound) {
    return connect(to, deadline_after(bound));
  }

  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until) override;
  /// Fills several pieces, in order, with what is there, by one system call: 16 pieces at most. Otherwise as
  /// read_some_until.
  std::optional<std::size_t> read_pieces_until(std::span<const std::span<char>> pieces, steady_time until);
  std::size_t read_pieces(std::span<const std::span<char>> pieces) {
    return *read_pieces_until(pieces, no_deadline);
  }
  /// As read_some, but what it gives is read again by the next read.
  std::optional<std::size_t> peek_until(std::span<char> into, steady_time until);
  std::size_t peek(std::span<char> into) { return *peek_until(into, no_deadline); }

  /// Sends what the socket takes at once, at least a byte, and gives how many; nothing when `until` passed.
  std::optional<std::size_t> write_some_until(std::string_view bytes, steady_time until);
  std::size_t write_some(std::string_view bytes) { return *write_some_until(bytes, no_deadline); }
  transfer write_all_until(std::span<const std::string_view> pieces, steady_time until) override;

  /// Sends `bytes` of a regular file from `offset` on, without a copy through this process. end_of_stream
  /// where the file is shorter. Reads the disk on this thread where the file is not in memory.
  transfer send_file_until(int file, off_t offset, std::size_t bytes, steady_time until);
  transfer send_file(int file, off_t offset, std::size_t bytes) {
    return send_file_until(file, offset, bytes, no_deadline);
  }

  /// Unix sockets: sends all of `bytes`, at least one, and copies of the descriptors with the first of them.
  /// Throws weft::error (invalid_argument) for more than descriptors_max.
  transfer send_descriptors_until(std::string_view bytes, std::span<const int> descriptors,
                                  steady_time until);
  transfer send_descriptors(std::string_view bytes, std::span<const int> descriptors) {
    return send_descriptors_until(bytes, descriptors, no_deadline);
  }
  /// As read_some_until, with the descriptors that came along, close-on-exec. Those that a plain read meets
  /// are lost. Throws weft::error (resource_exhausted) where this process has no room for them.
  std::optional<received_descriptors> receive_descriptors_until(std::span<char> into, steady_time until);
  received_descriptors receive_descriptors(std::span<char> into) {
    return *receive_descriptors_until(into, no_deadline);
  }
  static constexpr std::size_t descriptors_max = 253;  ///< the kernel's bound for a message

  void shutdown_write() noexcept override;
  /// Ends this side's reading: a task that waits for bytes sees the end.
  void shutdown_read() noexcept;
  /// Closes; tasks that wait on it get weft::error (closed). Calling it again has no effect.
  void close() noexcept;
  bool is_open() const noexcept { return static_cast<bool>(fd_); }
  /// Hands the socket over, still non-blocking and close-on-exec; this is unconnected then.
  unique_fd release() noexcept {
    io_.close();
    return std::move(fd_);
  }

  /// Has the peer neither ended nor broken the connection, as far as is known here? One system call.
  bool is_alive() const noexcept;
  /// Is the peer still there, with nothing sent to us? False also when unasked bytes lie there.
  bool is_quiet() const noexcept;

  endpoint local_address() const;
  endpoint peer_address() const;
  int fd() const noexcept { return fd_.get(); }

  /// Send small pieces at once (on by default for connections made by weft) or gather them.
  void set_no_delay(bool on) noexcept;
  /// Without one: no probes. This and the next ones throw weft::error where the system refuses.
  void set_keep_alive(const std::optional<keep_alive>& how);
  /// How long sent bytes may lie without an acknowledgement before the connection is broken; 0: the system's.
  void set_user_timeout(std::chrono::milliseconds bound);
  /// The kernel's buffers, in bytes of data; it may give more or, above its own maximum, less.
  void set_send_buffer(std::size_t bytes);
  void set_receive_buffer(std::size_t bytes);

 private:
  friend class listener;
  friend class relay;
  friend class tls::stream;
  /// A non-blocking, close-on-exec socket, registered.
  stream(unique_fd connected, io_handle io, bool is_unix) noexcept
      : fd_(std::move(connected)), io_(std::move(io)), is_unix_(is_unix) {}
  void note_read(std::size_t count, std::size_t room, int flags) noexcept;

  unique_fd fd_;
  io_handle io_;                                // registered while fd_ is open
  weft::detail::task_block* reader_ = nullptr;  // the task that reads now
  weft::detail::task_block* writer_ = nullptr;
  bool is_unix_ = false;
};

/// Moves bytes from one stream to another by splice(2), without a copy through this process.
///
/// What was read and is not written yet, because of a bound, a cancellation or a failure of the writing side,
/// stays here, and the next call writes it first. Takes two descriptors. Used as the streams are; one task at
/// a time, which counts as the reader of one and the writer of the other.
class relay {
 public:
  /// Throws weft::error (resource_exhausted).
  relay();

  /// Moves up to `bytes_max` bytes; end_of_stream where `from` has ended, and all it gave has been written. A
  /// failure after the first byte is a transfer_error; `bytes` are those that `to` took.
  transfer move_until(stream& from, stream& to, std::size_t bytes_max, steady_time until);
  transfer move(stream& from, stream& to, std::size_t bytes_max = SIZE_MAX) {
    return move_until(from, to, bytes_max, no_deadline);
  }
  /// Bytes that were read and not written.
  std::size_t held() const noexcept { return held_; }

 private:
  void write_held(stream& to, steady_time until, transfer& so_far);

  unique_fd reader_;
  unique_fd writer_;
  std::size_t held_ = 0;
};

}  // namespace weft::inline v1::net
