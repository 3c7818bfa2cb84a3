// Bytes that do not go through this process: sendfile and splice.

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include <weft/core/error.hpp>
#include <weft/net/stream.hpp>

#include "net/socket_io.hpp"

namespace weft::inline v1::net {

namespace {

using detail::direction_guard;
using detail::when_readable;
using detail::when_writable;

// What the loop's thread does at once.
constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr unsigned splice_flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

}  // namespace

transfer stream::send_file_until(int file, off_t offset, std::size_t bytes, steady_time until) {
  constexpr const char* tried = "stream: send a file";
  const direction_guard writing(writer_, fd_, tried);
  transfer done;
  try {
    while (done.bytes < bytes) {
      const auto count = when_writable(io_, until, tried, [&] {
        const detail::no_sigpipe quiet;
        return ::sendfile(fd(), file, &offset, std::min(bytes - done.bytes, chunk_bytes));
      });
      if (!count || *count == 0) {
        done.end = count ? transfer_end::end_of_stream : transfer_end::timed_out;
        break;
      }
      done.bytes += *count;
    }
  } catch (const error& failed) {
    if (done.bytes == 0) throw;
    throw transfer_error(failed, done.bytes);
  }
  return done;
}

relay::relay() {
  int both[2];
  if (::pipe2(both, O_CLOEXEC | O_NONBLOCK) != 0) throw system_error("relay: make a pipe", errno);
  reader_ = unique_fd(both[0]);
  writer_ = unique_fd(both[1]);
}

void relay::write_held(stream& to, steady_time until, transfer& so_far) {
  while (held_ > 0) {
    const auto count = when_writable(to.io_, until, "relay: write", [&] {
      const detail::no_sigpipe quiet;
      return ::splice(reader_.get(), nullptr, to.fd(), nullptr, held_, splice_flags);
    });
    if (!count) {
      so_far.end = transfer_end::timed_out;
      return;
    }
    held_ -= *count;
    so_far.bytes += *count;
  }
}

transfer relay::move_until(stream& from, stream& to, std::size_t bytes_max, steady_time until) {
  const direction_guard reading(from.reader_, from.fd_, "relay: read");
  const direction_guard writing(to.writer_, to.fd_, "relay: write");
  transfer done;
  try {
    while (true) {
      write_held(to, until, done);
      if (!done || done.bytes >= bytes_max) return done;
      // The pipe is empty, so where it would block it is the socket that has nothing.
      const auto count = when_readable(from.io_, until, "relay: read", [&] {
        return ::splice(from.fd(), nullptr, writer_.get(), nullptr,
                        std::min(bytes_max - done.bytes, chunk_bytes), splice_flags);
      });
      if (!count || *count == 0) {
        done.end = count ? transfer_end::end_of_stream : transfer_end::timed_out;
        return done;
      }
      held_ = *count;
    }
  } catch (const error& failed) {
    if (done.bytes == 0) throw;
    throw transfer_error(failed, done.bytes);
  }
}

}  // namespace weft::inline v1::net
