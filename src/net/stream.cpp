#include <weft/net/stream.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/fault_point.hpp>

#include "net/connecting.hpp"
#include "net/socket_io.hpp"

namespace weft::inline v1::net {

namespace {

using detail::direction_guard;
using detail::when_readable;
using detail::when_writable;

constexpr std::size_t pieces_max = 16;
constexpr const char* reads = "stream: read";
constexpr const char* writes = "stream: write";

/// The pieces that are not sent yet, as sendmsg wants them.
class unsent {
 public:
  explicit unsent(std::span<const std::string_view> pieces) : pieces_(pieces) {}

  bool empty() noexcept {
    while (!pieces_.empty() && pieces_.front().size() == offset_) next_piece();
    return pieces_.empty();
  }
  /// One attempt; as ::send.
  ssize_t send_to(int fd) {
    if (fault_errno("weft.net.write") != 0) return -1;
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

}  // namespace

stream::stream(unique_fd connected) : fd_(std::move(connected)) {
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags < 0) throw system_error("stream: take over a descriptor", errno);
  if ((flags & O_NONBLOCK) == 0) ::fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);
  ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
  int domain = 0;
  socklen_t bytes = sizeof domain;
  is_unix_ = ::getsockopt(fd_.get(), SOL_SOCKET, SO_DOMAIN, &domain, &bytes) == 0 && domain == AF_UNIX;
  io_ = io_handle(fd_.get());
}

stream& stream::operator=(stream&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    io_ = std::move(other.io_);
    is_unix_ = other.is_unix_;
  }
  return *this;
}

stream stream::connect(const endpoint& to, steady_time until) {
  detail::connected made = detail::connect_to_any(to.text(), detail::resolve(to, false, until), until);
  stream connected(std::move(made.fd), std::move(made.io), to.is_unix());
  if (!to.is_unix()) connected.set_no_delay(true);
  return connected;
}

/// A read that came back short has taken all there is, and the next edge tells of more. Not so on a Unix
/// socket where descriptors lie: a read stops there, and the edge of what lies behind has come already.
void stream::note_read(std::size_t count, std::size_t room, int flags) noexcept {
  if (count > 0 && count < room && (flags & MSG_CTRUNC) == 0) io_.mark_not_readable();
}

std::optional<std::size_t> stream::read_some_until(std::span<char> into, steady_time until) {
  if (is_unix_) return read_pieces_until(std::span(&into, 1), until);
  const direction_guard reading(reader_, fd_, reads);
  const auto count = when_readable(io_, until, reads, [&] {
    return fault_errno("weft.net.read") != 0 ? -1 : ::recv(fd_.get(), into.data(), into.size(), 0);
  });
  if (count) note_read(*count, into.size(), 0);
  return count;
}

std::optional<std::size_t> stream::read_pieces_until(std::span<const std::span<char>> pieces,
                                                     steady_time until) {
  const direction_guard reading(reader_, fd_, reads);
  std::array<iovec, pieces_max> vectors;
  msghdr header{};
  header.msg_iov = vectors.data();
  std::size_t room = 0;
  for (const std::span<char> piece : pieces.first(std::min(pieces.size(), pieces_max))) {
    vectors[header.msg_iovlen++] = {piece.data(), piece.size()};
    room += piece.size();
  }
  const auto count = when_readable(io_, until, reads, [&] {
    return fault_errno("weft.net.read") != 0 ? -1 : ::recvmsg(fd_.get(), &header, 0);
  });
  if (count) note_read(*count, room, header.msg_flags);
  return count;
}

std::optional<std::size_t> stream::peek_until(std::span<char> into, steady_time until) {
  const direction_guard reading(reader_, fd_, reads);
  return when_readable(io_, until, reads,
                       [&] { return ::recv(fd_.get(), into.data(), into.size(), MSG_PEEK); });
}

std::optional<std::size_t> stream::write_some_until(std::string_view bytes, steady_time until) {
  const direction_guard writing(writer_, fd_, writes);
  return when_writable(io_, until, writes, [&] {
    if (fault_errno("weft.net.write") != 0) return ssize_t{-1};
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  });
}

transfer stream::write_all_until(std::span<const std::string_view> pieces, steady_time until) {
  const direction_guard writing(writer_, fd_, writes);
  unsent left(pieces);
  std::size_t done = 0;
  try {
    while (!left.empty()) {
      const auto count = when_writable(io_, until, writes, [&] { return left.send_to(fd_.get()); });
      if (!count) return {done, transfer_end::timed_out};
      left.sent(*count);
      done += *count;
    }
  } catch (const error& failed) {
    if (done == 0) throw;
    throw transfer_error(failed, done);
  }
  return {done, transfer_end::complete};
}

void stream::shutdown_write() noexcept { ::shutdown(fd_.get(), SHUT_WR); }
void stream::shutdown_read() noexcept { ::shutdown(fd_.get(), SHUT_RD); }

void stream::close() noexcept {
  io_.close();
  fd_.reset();
}

bool stream::is_alive() const noexcept {
  char next = 0;
  const ssize_t count = ::recv(fd_.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return count > 0 || (count < 0 && detail::would_block(errno));
}

bool stream::is_quiet() const noexcept {
  char unasked = 0;
  const ssize_t count = ::recv(fd_.get(), &unasked, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && detail::would_block(errno);
}

}  // namespace weft::inline v1::net
