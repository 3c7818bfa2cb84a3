#pragma once

#include <cstdint>

#include <weft/core/clock.hpp>

namespace weft::inline v1::detail {

class io_entry;

/// What of `wants` holds for `fd` now, with errors and hang-ups; 0: nothing. Events are POLL bits, which
/// EPOLL's equal. Throws weft::error (invalid_argument) where `fd` is not open.
std::uint32_t ready_now(int fd, std::uint32_t wants, const char* what);

/// Outside a run: blocks the thread until some of `wants` holds for `fd`; 0 when `until` passed. Sees a
/// cancellation, and that `handle`, if there is one, was closed, within 50 ms.
std::uint32_t block_until_ready(int fd, std::uint32_t wants, steady_time until, const char* what,
                                io_entry* handle = nullptr);

}  // namespace weft::inline v1::detail
