#pragma once

#include <functional>

namespace weft::bench {

enum class uring_use {
  readiness,   ///< multishot polls in the place of epoll; recv and send are calls
  completions  ///< multishot receives into the kernel's choice of buffer; sends go with the next wait
};

/// As serve_raw_epoll(), by io_uring: accepts and waits cost no call of their own. Throws std::system_error
/// where the kernel does not allow it.
void serve_raw_uring(uring_use how, int stop_fd, const std::function<void(int port)>& ready);

}  // namespace weft::bench
