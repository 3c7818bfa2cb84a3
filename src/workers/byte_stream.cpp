#include "workers/byte_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <sys/socket.h>

#include <weft/codec/bytes.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/process/socket.hpp>

namespace weft::inline v1::workers::detail {

namespace {

// While a write waits: then, and later and later where nothing came.
constexpr auto look_first_after = std::chrono::milliseconds(1);
constexpr auto look_last_after = std::chrono::seconds(1);

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

byte_stream::byte_stream(unique_fd socket) : socket_(std::move(socket)) {
  if (socket_) process::set_nonblocking(socket_.get(), true);  // that of a stand-in has none
}

void byte_stream::attach() {
  const auto here = std::this_thread::get_id();  // which has one loop at most
  if (io_.is_open() && polled_by_ == here) return;
  io_ = io_handle();
  io_ = io_handle(socket_.get());
  outside_ = !io_.is_open();
  run_is_over_ = false;
  polled_by_ = outside_ ? std::thread::id() : here;
  drained_ = false;
}

void byte_stream::shut_down() noexcept { ::shutdown(socket_.get(), SHUT_RDWR); }

bool byte_stream::is_quiet() const noexcept {
  char byte;
  return unread_.empty() && ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && would_block();
}

// The system closes descriptors that there is no room for; what nobody takes is closed here.
long byte_stream::receive(std::span<char> into) noexcept {
  if (takes_descriptors_) {
    const long count = process::receive_with_descriptors(socket_.get(), into.data(), into.size(), received_);
    while (received_.size() > descriptors_max) received_.pop_back();
    return count;
  }
  long got = -1;
  do got = ::recv(socket_.get(), into.data(), into.size(), 0);
  while (got < 0 && errno == EINTR);
  return got;
}

bool byte_stream::wait_for(direction which, steady_time until) {
  const bool in = which == direction::in;
  if (!run_is_over_) {
    try {
      return in ? io_.wait_readable_until(until) : io_.wait_writable_until(until);
    } catch (const error& closed) {
      if (closed.code() != errc::closed) throw;
      run_is_over_ = true;
    }
  }
  return in ? weft::wait_readable_until(fd(), until) : weft::wait_writable_until(fd(), until);
}

// What was read last emptied the socket: no system call to be told so again.
bool byte_stream::wait_readable(steady_time until) {
  return !drained_ || !unread_.empty() || wait_for(direction::in, until);
}

stream_end byte_stream::read_now(std::span<char> into, std::size_t& got) {
  if (!unread_.empty()) {
    got = std::min(into.size(), unread_.size());
    std::copy_n(unread_.begin(), got, into.begin());
    unread_.erase(0, got);
    return stream_end::ok;
  }
  const auto ended = read_aside(into, got);
  // A read ends early, too, where descriptors came along; the edge of what lies behind them has come already.
  const bool took_all = got < into.size() && received_.empty();
  drained_ = ended == stream_end::timed_out || (ended == stream_end::ok && took_all);
  if (drained_) io_.mark_not_readable();
  return ended;
}

// Without a mark: it is for who waits to say what he knows of the socket. At worst he wakes for nothing.
stream_end byte_stream::read_aside(std::span<char> into, std::size_t& got) noexcept {
  const long count = receive(into);
  if (count < 0 && would_block()) return stream_end::timed_out;
  if (count <= 0) return stream_end::closed;
  got = static_cast<std::size_t>(count);
  return stream_end::ok;
}

// Time may pass because the loop was busy: what has come by then is read.
stream_end byte_stream::read_some(std::span<char> into, std::size_t& got, steady_time until) {
  while (true) {
    const bool in_time = wait_readable(until);
    const auto ended = read_now(into, got);
    if (ended != stream_end::timed_out || !in_time) return ended;
  }
}

bool byte_stream::wait_writable(steady_time until, const std::function<bool()>& meanwhile) {
  if (!meanwhile) return wait_for(direction::out, until);
  std::chrono::nanoseconds pause = look_first_after;
  while (true) {
    const auto bound = std::min(until, steady_clock::now() + pause);
    if (wait_for(direction::out, bound)) return true;
    if (bound == until) return false;
    pause = meanwhile() ? look_first_after : std::min<std::chrono::nanoseconds>(2 * pause, look_last_after);
  }
}

stream_end byte_stream::write(std::span<const std::byte> data, steady_time until,
                              const std::function<bool()>& meanwhile) {
  while (!data.empty()) {
    const ssize_t sent = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data = data.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block()) return stream_end::closed;
    io_.mark_not_writable();
    if (!wait_writable(until, meanwhile)) return stream_end::timed_out;
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
    if (!wait_for(direction::out, until)) return stream_end::timed_out;
  }
}

}  // namespace weft::inline v1::workers::detail
