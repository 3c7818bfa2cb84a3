#include <fcntl.h>

#include "hook/io_calls.hpp"

namespace weft::inline v1::hook {

void pieces::skip(std::size_t bytes) noexcept {
  used_ += bytes;
  while (count_ > 0 && used_ >= all_->iov_len) {
    used_ -= all_->iov_len;
    ++all_;
    --count_;
  }
}

std::size_t pieces::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += all_[i].iov_len;
  return sum - used_;
}

int pieces::part(iovec* into, std::size_t bytes_max) const noexcept {
  int filled = 0;
  for (std::size_t i = 0; i < count_ && filled < part_max && bytes_max > 0; ++i) {
    const std::size_t skipped = i == 0 ? used_ : 0;
    std::size_t bytes = all_[i].iov_len - skipped;
    if (bytes > bytes_max) bytes = bytes_max;
    into[filled++] = {static_cast<char*>(all_[i].iov_base) + skipped, bytes};
    bytes_max -= bytes;
  }
  return filled;
}

bool is_nonblocking(int fd) noexcept { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

std::int64_t bound_of(const engine& of, int fd, int option) noexcept {
  timeval time{};
  socklen_t bytes = sizeof time;
  if (getsockopt(fd, SOL_SOCKET, option, &time, &bytes) != 0) return engine::never;
  return time.tv_sec == 0 && time.tv_usec == 0 ? engine::never : bound_after(of, nanoseconds_of(time));
}

}  // namespace weft::inline v1::hook
