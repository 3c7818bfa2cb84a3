#include "workers/byte_stream.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

#include <weft/codec/bytes.hpp>
#include <weft/process/socket.hpp>

namespace weft::workers::detail {

namespace {

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

byte_stream::byte_stream(unique_fd socket) : socket_(std::move(socket)) {
  process::set_nonblocking(socket_.get(), true);
}

void byte_stream::attach() {
  if (io_.is_open()) return;
  io_ = io_handle(socket_.get());
  drained_ = false;
}

void byte_stream::detach() noexcept { io_ = io_handle(); }

void byte_stream::close() noexcept {
  detach();
  socket_.reset();
}

bool byte_stream::is_quiet() const noexcept {
  char byte;
  return unread_.empty() && ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block();
}

stream_end byte_stream::read_some(std::span<char> into, std::size_t& got, steady_time until) {
  if (!unread_.empty()) {
    got = std::min(into.size(), unread_.size());
    std::copy_n(unread_.begin(), got, into.begin());
    unread_.erase(0, got);
    return stream_end::ok;
  }
  while (true) {
    // What was read last emptied the socket: no system call to be told so again.
    if (drained_ && !io_.wait_readable_until(until)) return stream_end::timed_out;
    const long count = process::receive_with_descriptors(socket_.get(), into.data(), into.size(), received_);
    if (count == 0 || (count < 0 && !would_block())) return stream_end::closed;
    drained_ = count < 0 || static_cast<std::size_t>(count) < into.size();
    if (drained_) io_.mark_not_readable();
    if (count < 0) continue;
    got = static_cast<std::size_t>(count);
    return stream_end::ok;
  }
}

stream_end byte_stream::write(std::span<const std::byte> data, steady_time until) {
  while (!data.empty()) {
    const ssize_t sent = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data = data.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block()) return stream_end::closed;
    io_.mark_not_writable();
    if (!io_.wait_writable_until(until)) return stream_end::timed_out;
  }
  return stream_end::ok;
}

stream_end byte_stream::write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
                                   steady_time until) {
  while (true) {
    const long sent = process::send_with_descriptors(socket_.get(), as_text(data), descriptors);
    if (sent >= 0) return write(data.subspan(static_cast<std::size_t>(sent)), until);
    if (!would_block()) return stream_end::closed;
    io_.mark_not_writable();
    if (!io_.wait_writable_until(until)) return stream_end::timed_out;
  }
}

}  // namespace weft::workers::detail
