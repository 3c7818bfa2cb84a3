#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// What can be the matter with a descriptor; a set, of which the members are combined with `|`.
enum class io_events : unsigned char {
  none = 0,
  readable = 1,  ///< reading makes progress: data, a connection to accept, or the end of the stream
  priority = 2,  ///< something exceptional: out-of-band data, a change of a /proc or sysfs file
  writable = 4,  ///< writing makes progress
  error = 8,     ///< an error is pending; always reported, asked for or not
  hang_up = 16,  ///< the other side is gone; always reported, asked for or not
};

constexpr io_events operator|(io_events one, io_events other) noexcept {
  return static_cast<io_events>(static_cast<unsigned char>(one) | static_cast<unsigned char>(other));
}
constexpr io_events operator&(io_events one, io_events other) noexcept {
  return static_cast<io_events>(static_cast<unsigned char>(one) & static_cast<unsigned char>(other));
}
constexpr io_events& operator|=(io_events& one, io_events other) noexcept { return one = one | other; }
/// Has `set` at least one of `wanted`?
constexpr bool has(io_events set, io_events wanted) noexcept { return (set & wanted) != io_events::none; }

/// Waits until one of `wanted` holds for `fd`, or an error or a hang-up, and gives what holds; with a
/// bound `none` when it passed, and a bound of zero looks once.
///
/// For descriptors that are waited for now and then (a pidfd, an eventfd, a library's socket): each
/// wait that has to wait registers `fd` and takes it out again, which is about four system calls;
/// io_handle needs none. Does not own the descriptor, which stays open as long as somebody waits: a
/// close() behind the wait's back is noticed only when the number is used again with the same loop;
/// the wait then fails with weft::error (closed). An io_handle for the same descriptor may exist; when
/// it is closed, so fail the waits.
///
/// From fibers, and from plain threads, which block. A cancellation point. Several tasks may wait for
/// one descriptor if they wait for different events (one reads, one writes); for the same event a
/// second task of the same loop gets weft::error (busy) that names both. Throws weft::error:
/// invalid_argument when `wanted` is none or `fd` is not open.
io_events wait_event(int fd, io_events wanted);
io_events wait_event_until(int fd, io_events wanted, steady_time until);
template <typename Rep, typename Period>
io_events wait_event_for(int fd, io_events wanted, std::chrono::duration<Rep, Period> bound) {
  return wait_event_until(fd, wanted, deadline_after(bound));
}

/// wait_event for reading or for writing; with a bound, false when it passed.
void wait_readable(int fd);
void wait_writable(int fd);
bool wait_readable_until(int fd, steady_time until);
bool wait_writable_until(int fd, steady_time until);
template <typename Rep, typename Period>
bool wait_readable_for(int fd, std::chrono::duration<Rep, Period> bound) {
  return wait_readable_until(fd, deadline_after(bound));
}
template <typename Rep, typename Period>
bool wait_writable_for(int fd, std::chrono::duration<Rep, Period> bound) {
  return wait_writable_until(fd, deadline_after(bound));
}

/// One of the descriptors that wait_any waits for.
struct watched_fd {
  int fd = -1;
  io_events wanted = io_events::none;
  io_events ready = io_events::none;  ///< set by wait_any
};

/// Waits until something holds for at least one of `all`, sets `ready` in each, and gives the number
/// of those where it is not none; with a bound 0 when that passed, and a bound of zero looks once. As
/// poll(2): it may name a descriptor twice, and does not mind others who wait for the same one. Where
/// it has to wait, it costs about two system calls for each descriptor; a wait_set is for waiting
/// often. It does not see that a descriptor is closed. A cancellation point, after which all `ready`
/// are none. Throws weft::error: invalid_argument for an empty list, a descriptor that is not open and
/// one with nothing wanted, and resource_exhausted.
std::size_t wait_any(std::span<watched_fd> all);
std::size_t wait_any_until(std::span<watched_fd> all, steady_time until);
template <typename Rep, typename Period>
std::size_t wait_any_for(std::span<watched_fd> all, std::chrono::duration<Rep, Period> bound) {
  return wait_any_until(all, deadline_after(bound));
}

}  // namespace weft::inline v1
