#include <weft/net/stream.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/task_block.hpp>

#include "net/address.hpp"

namespace weft::net {

namespace {

constexpr std::size_t pieces_max = 16;

using weft::detail::task_block;

std::string name_of(const task_block& task) {
  return "task " + std::to_string(task.id()) + " \"" + std::string(task.name()) + '"';
}

/// Marks a direction as in use for as long as it lives, which is within a call of the task that uses it.
class direction_guard {
 public:
  direction_guard(task_block*& user, const unique_fd& fd, const char* verb) : user_(user) {
    if (!fd) throw error(errc::closed, std::string("stream: ") + verb + ": it is closed");
    task_block& here = task_block::current();
    if (user != nullptr) {
      throw error(errc::busy, std::string("stream: ") + verb + " on descriptor " + std::to_string(fd.get()) +
                                  ": " + name_of(here) + " would, while " + name_of(*user) +
                                  " does; let one task read and one write");
    }
    user = &here;
  }
  direction_guard(const direction_guard&) = delete;
  direction_guard& operator=(const direction_guard&) = delete;
  ~direction_guard() { user_ = nullptr; }

 private:
  task_block*& user_;
};

bool would_block(int errno_value) noexcept { return errno_value == EAGAIN || errno_value == EWOULDBLOCK; }

[[noreturn]] void throw_io(const char* tried, int errno_value) {
  if (errno_value == EPIPE || errno_value == ECONNRESET) {
    throw error(errc::unavailable, std::string(tried) + ": the peer closed the connection");
  }
  throw system_error(tried, errno_value);
}

/// The pieces that are not sent yet, as sendmsg wants them.
class unsent {
 public:
  explicit unsent(std::span<const std::string_view> pieces) : pieces_(pieces) {}

  bool empty() noexcept {
    while (!pieces_.empty() && pieces_.front().size() == offset_) next_piece();
    return pieces_.empty();
  }
  /// One attempt; as ::send.
  ssize_t send_to(int fd) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < pieces_.size() && count < pieces_max; ++i) {
      const std::string_view piece = i == 0 ? pieces_[0].substr(offset_) : pieces_[i];
      if (!piece.empty()) vectors_[count++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (count == 1)
      return ::send(fd, vectors_[0].iov_base, vectors_[0].iov_len, MSG_NOSIGNAL);  // the cheaper call
    msghdr header{};
    header.msg_iov = vectors_.data();
    header.msg_iovlen = count;
    return ::sendmsg(fd, &header, MSG_NOSIGNAL);
  }
  void sent(std::size_t bytes) noexcept {
    while (bytes > 0) {
      const std::size_t here = std::min(bytes, pieces_.front().size() - offset_);
      offset_ += here;
      bytes -= here;
      if (offset_ == pieces_.front().size()) next_piece();
    }
  }

 private:
  void next_piece() noexcept {
    pieces_ = pieces_.subspan(1);
    offset_ = 0;
  }
  std::span<const std::string_view> pieces_;
  std::size_t offset_ = 0;
  std::array<iovec, pieces_max> vectors_;
};

/// Waits for a connect that is under way; gives its errno. ETIMEDOUT when `until` passed.
int finish_connect(io_handle& io, int fd, steady_time until) {
  io.mark_not_writable();
  if (!io.wait_writable_until(until)) return ETIMEDOUT;
  int failed = 0;
  socklen_t bytes = sizeof failed;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &bytes) == 0 ? failed : errno;
}

}  // namespace

stream::stream(unique_fd connected) : fd_(std::move(connected)) {
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags < 0) throw system_error("stream: take over a descriptor", errno);
  if ((flags & O_NONBLOCK) == 0) ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
  io_ = io_handle(fd_.get());
}

stream& stream::operator=(stream&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    io_ = std::move(other.io_);
  }
  return *this;
}

stream stream::connect(const endpoint& to, steady_time until) {
  const std::string tried = "connect to " + to.text();
  int failed = 0;
  for (const detail::address& address : detail::resolve(to, false)) {
    stream made;
    made.fd_ = detail::make_socket(address.family(), tried.c_str());
    failed = ::connect(made.fd(), address.get(), address.bytes) == 0 ? 0 : errno;
    if (failed == 0 || failed == EINPROGRESS) {
      made.io_ = io_handle(made.fd());
      if (failed != 0) failed = finish_connect(made.io_, made.fd(), until);
    }
    if (failed == 0) {
      if (!to.is_unix()) made.set_no_delay(true);
      return made;
    }
  }
  if (failed == ECONNREFUSED || failed == ENOENT) {
    throw error(errc::unavailable,
                tried + ": " + (failed == ENOENT ? "there is no such socket" : "nobody listens there") +
                    "; is the server running?");
  }
  if (failed == EAGAIN) throw error(errc::unavailable, tried + ": the server's queue is full");
  throw system_error(tried, failed);
}

std::optional<std::size_t> stream::read_some_until(std::span<char> into, steady_time until) {
  const direction_guard reading(reader_, fd_, "read");
  while (true) {
    if (!io_.wait_readable_until(until)) return std::nullopt;
    const ssize_t count = ::recv(fd_.get(), into.data(), into.size(), 0);
    if (count >= 0) {
      const auto bytes = static_cast<std::size_t>(count);
      if (bytes > 0 && bytes < into.size()) io_.mark_not_readable();
      return bytes;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) throw_io("stream: read", errno);
    io_.mark_not_readable();
  }
}

std::size_t stream::read_all(std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t count = read_some(into.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

bool stream::write_all_until(std::span<const std::string_view> pieces, steady_time until) {
  const direction_guard writing(writer_, fd_, "write");
  unsent left(pieces);
  while (!left.empty()) {
    if (!io_.wait_writable_until(until)) return false;
    const ssize_t count = left.send_to(fd_.get());
    if (count >= 0) {
      left.sent(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (!would_block(errno)) throw_io("stream: write", errno);
    io_.mark_not_writable();
  }
  return true;
}

void stream::shutdown_write() noexcept { ::shutdown(fd_.get(), SHUT_WR); }
void stream::shutdown_read() noexcept { ::shutdown(fd_.get(), SHUT_RD); }

void stream::close() noexcept {
  io_.close();
  fd_.reset();
}

bool stream::is_quiet() const noexcept {
  char unasked = 0;
  const ssize_t count = ::recv(fd_.get(), &unasked, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && would_block(errno);
}

endpoint stream::local_address() const {
  detail::address address;
  address.bytes = sizeof address.storage;
  if (::getsockname(fd_.get(), address.get(), &address.bytes) != 0)
    throw system_error("stream: own address", errno);
  return detail::to_endpoint(address);
}

endpoint stream::peer_address() const {
  detail::address address;
  address.bytes = sizeof address.storage;
  if (::getpeername(fd_.get(), address.get(), &address.bytes) != 0)
    throw system_error("stream: peer's address", errno);
  return detail::to_endpoint(address);
}

void stream::set_no_delay(bool on) noexcept {
  const int value = on ? 1 : 0;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

}  // namespace weft::net
