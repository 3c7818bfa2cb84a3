#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>
#include <weft/net/endpoint.hpp>

namespace weft::detail {
class task_block;
}

namespace weft::net {

/// One connection: bytes in, bytes out; TCP or Unix socket. Owns the descriptor.
///
/// Waits suspend the fiber. One task may read while another writes; a second one in the same
/// direction gets weft::error (busy) that names both. close() may be called by a third and wakes both.
/// Every wait is a cancellation point; a write that was cancelled or timed out may have sent a part.
/// Errors: weft::error; closed where this side has closed, unavailable where the peer is gone.
/// Thread-safety: none; used from the thread of the run it was made in.
class stream {
 public:
  /// An unconnected stream.
  stream() noexcept = default;
  /// Takes over a connected socket; makes it non-blocking and close-on-exec.
  explicit stream(unique_fd connected);
  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept;
  ~stream() { close(); }

  /// Connects, trying each address of the name in turn, until `until`.
  static stream connect(const endpoint& to, steady_time until = no_deadline);
  template <typename Rep, typename Period>
  static stream connect_for(const endpoint& to, std::chrono::duration<Rep, Period> bound) {
    return connect(to, deadline_after(bound));
  }

  /// Waits for bytes and gives how many came; 0 once the peer has ended its side.
  std::size_t read_some(std::span<char> into) { return *read_some_until(into, no_deadline); }
  /// As read_some; nothing when `until` passed first.
  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until);
  /// Reads until `into` is full or the peer ends; gives how many came.
  std::size_t read_all(std::span<char> into);

  /// Sends all bytes.
  void write_all(std::string_view bytes) { write_all_until(std::span(&bytes, 1), no_deadline); }
  /// Sends several pieces, in one system call where the socket takes them. False when `until` passed.
  bool write_all_until(std::span<const std::string_view> pieces, steady_time until);

  /// Tells the peer that nothing more comes.
  void shutdown_write() noexcept;
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

  /// Is the peer still there, with nothing sent to us? False also when unasked bytes lie there.
  bool is_quiet() const noexcept;

  endpoint local_address() const;
  endpoint peer_address() const;
  /// Send small pieces at once (on by default for connections made by weft) or gather them.
  void set_no_delay(bool on) noexcept;
  int fd() const noexcept { return fd_.get(); }

 private:
  unique_fd fd_;
  io_handle io_;                                // registered while fd_ is open
  weft::detail::task_block* reader_ = nullptr;  // the task that reads now
  weft::detail::task_block* writer_ = nullptr;
};

}  // namespace weft::net
