#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/fiber/io_handle.hpp>

namespace weft::inline v1::process {

/// The end of a pipe from which this process reads: what another one writes, in pieces or in lines.
///
/// All waits are cancellation points, which lose nothing; a fiber waits, a plain thread blocks. One
/// task at a time. Owns the descriptor, which it makes non-blocking. Made in a run it is registered with
/// the loop (see io_handle) and is to be used up there.
class pipe_reader {
 public:
  pipe_reader() noexcept = default;
  explicit pipe_reader(unique_fd fd);
  pipe_reader(pipe_reader&&) noexcept = default;
  pipe_reader& operator=(pipe_reader&& other) noexcept;
  ~pipe_reader() = default;

  /// Waits for at least one byte and gives the number of those read; 0 at the end: all writers are gone.
  std::size_t read_some(std::span<char> into);
  /// Nothing when `until` passed first.
  std::optional<std::size_t> read_some_until(std::span<char> into, steady_time until);
  /// The next line without its end; nothing when all have been read. A last line may lack its end.
  /// Throws weft::error (too_large) where one has more than line_bytes_max; read_some goes on from there.
  std::optional<std::string> read_line();
  /// All that is left. Throws weft::error (too_large) where that is more than `bytes_max`.
  std::string read_all(std::size_t bytes_max);

  /// The writer gets SIGPIPE or EPIPE from here on.
  void close() noexcept;
  int fd() const noexcept { return fd_.get(); }

  static constexpr std::size_t line_bytes_max = 1024 * 1024;

 private:
  std::size_t take_pending(std::span<char> into) noexcept;
  std::optional<std::size_t> read_pipe(std::span<char> into, steady_time until);
  unique_fd fd_;
  io_handle io_;         // of fd_
  std::string pending_;  // read beyond the last line
};

/// The end of a pipe to which this process writes. As pipe_reader; one task at a time writes.
class pipe_writer {
 public:
  pipe_writer() noexcept = default;
  explicit pipe_writer(unique_fd fd);
  pipe_writer(pipe_writer&&) noexcept = default;
  pipe_writer& operator=(pipe_writer&& other) noexcept;
  ~pipe_writer() = default;

  /// Waits until all of `text` is written; false when all readers are gone. Never raises SIGPIPE.
  /// Cancelled, a part may have been written.
  bool write_all(std::string_view text);
  /// The reader gets the end of the stream when it has read the rest.
  void close() noexcept;
  int fd() const noexcept { return fd_.get(); }

 private:
  unique_fd fd_;
  io_handle io_;  // of fd_
};

/// write(2) that never raises SIGPIPE, for descriptors that are no sockets.
long write_without_signal(int fd, std::string_view bytes) noexcept;

}  // namespace weft::inline v1::process
