#pragma once

#include <poll.h>
#include <sys/time.h>
#include <cstdint>

#include "hook/caller.hpp"

namespace weft::inline v1::hook {

/// How a wait of a fiber ended.
enum class waited : unsigned char {
  ready,       ///< or perhaps ready: try again
  bound_over,  ///< the caller's own bound passed
  failed,      ///< errno says why: ECANCELED, ETIMEDOUT, EBADF
  cannot,      ///< the runtime cannot wait for this: make the call that blocks
};

/// Waits until one of `events` may hold at `fd`. Several fibers may wait for the same.
waited wait_at(const engine& of, int fd, std::uint32_t events, std::int64_t until, const char* what) noexcept;

/// A look at descriptors that does not wait. True: the caller has what he waits for, or an error.
struct look_at_all {
  bool (*look)(void* with) noexcept;
  void* with;
};
/// Waits until `look` is content; it is asked each time when something has happened at one of `all`, of which
/// those below 0 are left out. Where one of them was closed meanwhile it has failed with EBADF, and `closed`
/// says which: its number may be another's already.
waited wait_at_any(const engine& of, const pollfd* all, nfds_t count, std::int64_t until, const char* what,
                   look_at_all look, int& closed) noexcept;

/// Sleeps until `until`; false with errno where the task must give up before.
bool sleep_here(const engine& of, std::int64_t until) noexcept;

/// That long from now; saturates. Negative: never.
std::int64_t bound_after(const engine& of, std::int64_t nanoseconds) noexcept;

constexpr std::int64_t nanoseconds_of(const timespec& time) noexcept {
  constexpr std::int64_t most = INT64_MAX / 2 / 1'000'000'000;
  return (time.tv_sec < most ? time.tv_sec : most) * 1'000'000'000 + time.tv_nsec;
}
constexpr std::int64_t nanoseconds_of(const timeval& time) noexcept {
  return nanoseconds_of(timespec{time.tv_sec, time.tv_usec * 1000});
}

/// Tells waits for several descriptors that these were closed.
void wake_closed(unsigned first, unsigned last) noexcept;

}  // namespace weft::inline v1::hook
