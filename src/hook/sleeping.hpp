#pragma once

#include <cstdint>

#include "hook/waiting.hpp"

namespace weft::inline v1::hook {

inline constexpr std::int64_t a_second = 1'000'000'000;  // in nanoseconds

/// Sleeps for that long; 0 lets other fibers run. False with errno where the task must give up before: `left`
/// is what is left then.
bool sleep_for_here(const engine& of, std::int64_t nanoseconds, std::int64_t& left) noexcept;

/// nanosleep, with -1 and errno.
int nanosleep_here(const engine& of, const timespec& time, timespec* left) noexcept;

/// clock_nanosleep, with the error as its result.
int clock_nanosleep_here(const engine& of, clockid_t clock, int flags, const timespec& time,
                         timespec* left) noexcept;

}  // namespace weft::inline v1::hook
