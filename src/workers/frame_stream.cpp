#include "workers/frame_stream.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

#include <weft/core/error.hpp>
#include <weft/process/socket.hpp>

namespace weft::workers::detail {

namespace {

// Large arguments are read in large pieces; a fiber's stack holds one of them.
constexpr std::size_t piece_bytes = 16 * 1024;

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

std::span<const std::byte> as_bytes_of(const char* data, std::size_t count) noexcept {
  return {reinterpret_cast<const std::byte*>(data), count};
}

}  // namespace

frame_stream::frame_stream(unique_fd socket, std::size_t message_bytes_max)
    : socket_(std::move(socket)), reader_(message_bytes_max) {
  process::set_nonblocking(socket_.get(), true);
}

void frame_stream::attach() {
  if (io_.is_open()) return;
  io_ = io_handle(socket_.get());
  drained_ = false;
}

void frame_stream::detach() noexcept { io_ = io_handle(); }

void frame_stream::close() noexcept {
  detach();
  socket_.reset();
}

bool frame_stream::is_quiet() const noexcept {
  char byte;
  return reader_.pending_bytes() == 0 && ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         would_block();
}

stream_end frame_stream::read_some(char* buffer, std::size_t capacity, std::size_t& got, steady_time until) {
  while (true) {
    // What was read last emptied the socket: no system call to be told so again.
    if (drained_ && !io_.wait_readable_until(until)) return stream_end::timed_out;
    const long count = process::receive_with_descriptors(socket_.get(), buffer, capacity, received_);
    if (count == 0 || (count < 0 && !would_block())) return stream_end::closed;
    drained_ = count < 0 || static_cast<std::size_t>(count) < capacity;
    if (drained_) io_.mark_not_readable();
    if (count < 0) continue;
    got = static_cast<std::size_t>(count);
    return stream_end::ok;
  }
}

stream_end frame_stream::read(wire::frame& into, steady_time until) {
  while (true) {
    if (auto next = reader_.next()) {
      into = std::move(*next);
      return stream_end::ok;
    }
    char piece[piece_bytes];
    std::size_t got = 0;
    if (const auto end = read_some(piece, sizeof piece, got, until); end != stream_end::ok) return end;
    reader_.append(as_bytes_of(piece, got));
  }
}

stream_end frame_stream::read_raw(std::string& into, std::size_t count, steady_time until) {
  into.clear();
  while (into.size() < count) {
    char piece[64];
    std::size_t got = 0;
    const auto end = read_some(piece, std::min(sizeof piece, count - into.size()), got, until);
    if (end != stream_end::ok) return end;
    into.append(piece, got);
  }
  return stream_end::ok;
}

stream_end frame_stream::write(std::span<const std::byte> data, steady_time until) {
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

stream_end frame_stream::write_with(std::span<const std::byte> data, const std::vector<int>& descriptors,
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
