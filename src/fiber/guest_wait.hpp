#pragma once

#include <cstdint>

#include <weft/core/clock.hpp>

namespace weft::inline v1::detail {

/// One wait without a handle: registers `fd` with the running loop if it has to wait; outside a run it
/// blocks the thread. What of `wants` holds, or an error or a hang-up; 0 when `until` passed.
std::uint32_t wait_as_guest(int fd, std::uint32_t wants, steady_time until, const char* what);

}  // namespace weft::inline v1::detail
