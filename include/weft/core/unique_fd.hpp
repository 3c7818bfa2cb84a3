#pragma once

#include <unistd.h>
#include <utility>

namespace weft::inline v1 {

/// Owns a file descriptor: closes it when it ends. Move-only; -1 is none.
class unique_fd {
 public:
  unique_fd() noexcept = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor away.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes what it has and takes over `fd`.
  void reset(int fd = -1) noexcept {
    const int former = std::exchange(fd_, fd);
    if (former >= 0) ::close(former);  // Linux frees the number also where close says EINTR
  }

 private:
  int fd_ = -1;
};

}  // namespace weft::inline v1
