#pragma once

#include "hook/real_call.hpp"
#include "hook/waiting.hpp"

// The calls themselves. `of` is null where the call is libc's alone.

namespace weft::inline v1::hook {

/// For read and write, which are for sockets and for others, which are hooked apart.
struct by_kind {
  const engine* socket;
  const engine* other;
};

ssize_t read_vector(by_kind of, int fd, const iovec* into, int count) noexcept;
ssize_t write_vector(by_kind of, int fd, const iovec* from, int count) noexcept;

ssize_t receive(const engine& of, int fd, msghdr* message, int flags) noexcept;
ssize_t transmit(const engine& of, int fd, const msghdr& message, int flags) noexcept;
ssize_t receive_into(const engine& of, int fd, void* into, std::size_t bytes, int flags) noexcept;
ssize_t receive_from(const engine& of, int fd, void* into, std::size_t bytes, int flags, sockaddr* from,
                     socklen_t* from_bytes) noexcept;
/// `to` may be null.
ssize_t transmit_from(const engine& of, int fd, const void* from, std::size_t bytes, int flags,
                      const sockaddr* to, socklen_t to_bytes) noexcept;
int take_connection(const engine& of, int fd, sockaddr* from, socklen_t* from_bytes, int flags) noexcept;
int make_connection(const engine& of, int fd, const sockaddr* to, socklen_t to_bytes) noexcept;

// Helpers of those.

bool is_nonblocking(int fd) noexcept;
/// SO_RCVTIMEO or SO_SNDTIMEO as a point in time.
std::int64_t bound_of(const engine& of, int fd, int option) noexcept;

constexpr std::int64_t a_moment = 1'000'000;  // 1 ms

/// Makes `attempt`, which does not block, until it gives something else than EAGAIN; waits for `events`
/// before each further one, as a blocking call would. `block` makes the call that blocks.
template <typename Attempt, typename Block>
ssize_t until_done(const engine& of, int fd, std::uint32_t events, int option, const char* what,
                   Attempt&& attempt, Block&& block) noexcept {
  const errno_before before;
  std::int64_t until = 0;
  for (bool first = true;; first = false) {
    const ssize_t result = attempt();
    if (result >= 0) return before.keep(result);
    if (errno != EAGAIN) return result;
    if (first) {
      if (is_nonblocking(fd)) return block();  // which does not block then, and says so itself
      until = bound_of(of, fd, option);
    }
    switch (wait_at(of, fd, events, until, what)) {
      case waited::ready:
        // A datagram socket may say that it is ready and take nothing: the queue of a peer is full.
        if (!first && !sleep_here(of, bound_after(of, a_moment))) return -1;
        break;
      case waited::bound_over:
        errno = EAGAIN;
        return -1;
      case waited::failed:
        return -1;
      case waited::cannot:
        return block();
    }
  }
}

/// Some pieces of memory from which the first ones are used up.
class pieces {
 public:
  pieces(const iovec* all, std::size_t count) noexcept : all_(all), count_(count) {}
  /// Skips that many more.
  void skip(std::size_t bytes) noexcept;
  bool empty() noexcept {
    skip(0);
    return count_ == 0;
  }
  std::size_t bytes() const noexcept;
  static constexpr int part_max = 16;
  /// The next ones, at most part_max and `bytes_max`; gives their number.
  int part(iovec* into, std::size_t bytes_max) const noexcept;

 private:
  const iovec* all_;
  std::size_t count_;
  std::size_t used_ = 0;  // of the first
};

}  // namespace weft::inline v1::hook
