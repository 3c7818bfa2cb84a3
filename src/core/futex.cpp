#include "core/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace weft::inline v1::detail {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4);

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, steady_time until) noexcept {
  timespec bound{};
  const bool is_bounded = until != no_deadline;
  if (is_bounded) {
    if (std::chrono::steady_clock::now() >= until) return false;
    // Points of steady_clock are those of CLOCK_MONOTONIC, which FUTEX_WAIT_BITSET reads.
    const auto since_boot = until.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since_boot);
    bound.tv_sec = static_cast<std::time_t>(whole.count());
    bound.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since_boot - whole).count());
  }
  const int saved_errno = errno;
  const long done = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, value, is_bounded ? &bound : nullptr,
                            nullptr, FUTEX_BITSET_MATCH_ANY);
  const bool is_over = done == -1 && errno == ETIMEDOUT;
  errno = saved_errno;
  return !is_over;
}

void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept {
  const int saved_errno = errno;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  errno = saved_errno;
}

}  // namespace weft::inline v1::detail
