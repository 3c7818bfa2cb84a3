#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/process/child.hpp>
#include <weft/process/exit_status.hpp>

namespace weft::inline v1 {

/// Waits for the end of a child of this process that weft did not start (another library forked it), and
/// reaps it. One that has ended before is found. A fiber waits, a plain thread blocks; a cancellation point,
/// which leaves the child as it is. Throws weft::error: not_found where `pid` is no child of this process (or
/// was reaped), invalid_argument for numbers that are not one process's.
///
/// There is no form for "any child": it would reap those that a process::child, a worker pool or another
/// library waits for, and would have to share SIGCHLD with them. wait_any_child waits for the first of those
/// that you have.
process::exit_status wait_child(pid_t pid);
/// Nothing if it still ran at `until`.
std::optional<process::exit_status> wait_child_until(pid_t pid, steady_time until);
template <typename Rep, typename Period>
std::optional<process::exit_status> wait_child_for(pid_t pid, std::chrono::duration<Rep, Period> bound) {
  return wait_child_until(pid, deadline_after(bound));
}

/// Waits until one of `children` has ended and gives its place in the list, the first one where several have;
/// its try_wait() then has the status. A cancellation point. Throws weft::error (invalid_argument) for an
/// empty list or an empty child.
std::size_t wait_any_child(std::span<process::child* const> children);
/// Nothing if all still ran at `until`.
std::optional<std::size_t> wait_any_child_until(std::span<process::child* const> children, steady_time until);
template <typename Rep, typename Period>
std::optional<std::size_t> wait_any_child_for(std::span<process::child* const> children,
                                              std::chrono::duration<Rep, Period> bound) {
  return wait_any_child_until(children, deadline_after(bound));
}

}  // namespace weft::inline v1
