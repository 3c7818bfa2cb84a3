#pragma once

#include "hook/real_call.hpp"
#include "hook/waiting.hpp"

namespace weft::inline v1::hook {

/// `bound` in nanoseconds, negative: none. The look comes first, so what is ready costs one call.
int poll_here(const engine& of, pollfd* all, nfds_t count, std::int64_t bound) noexcept;
int select_here(const engine& of, int count, fd_set* read, fd_set* write, fd_set* except,
                std::int64_t bound) noexcept;
int epoll_wait_here(const engine& of, int epoll, epoll_event* into, int most, std::int64_t bound) noexcept;

/// A timeout in milliseconds as the calls have it.
constexpr std::int64_t bound_of_ms(int timeout_ms) noexcept {
  return timeout_ms < 0 ? -1 : std::int64_t{timeout_ms} * 1'000'000;
}

}  // namespace weft::inline v1::hook
