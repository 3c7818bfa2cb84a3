#include <weft/process/wait_child.hpp>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <string>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>

#include "process/reap.hpp"

namespace weft::inline v1 {

namespace {

[[noreturn]] void throw_no_child(pid_t pid) {
  throw error(errc::not_found, "wait_child: process " + std::to_string(pid) +
                                   " is no child of this process, or has been waited for");
}

// A child of ours that is not reaped keeps its number, so it is the one that is meant.
unique_fd open_child(pid_t pid) {
  if (pid <= 0) {
    throw error(errc::invalid_argument,
                "wait_child: " + std::to_string(pid) + " is not the number of one process");
  }
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) throw_no_child(pid);
  unique_fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd) return pidfd;
  if (errno == ESRCH) throw_no_child(pid);
  throw system_error("wait_child: open process " + std::to_string(pid), errno);
}

std::vector<watched_fd> pidfds_of(std::span<process::child* const> children) {
  std::vector<watched_fd> all;
  for (const process::child* const one : children) {
    if (one == nullptr || !*one) {
      throw error(errc::invalid_argument, "wait_any_child: there is a place without a child");
    }
    all.push_back({one->pidfd(), io_events::readable});
  }
  if (all.empty()) throw error(errc::invalid_argument, "wait_any_child: the list is empty");
  return all;
}

}  // namespace

process::exit_status wait_child(pid_t pid) { return *wait_child_until(pid, no_deadline); }

std::optional<process::exit_status> wait_child_until(pid_t pid, steady_time until) {
  const unique_fd pidfd = open_child(pid);
  for (;;) {
    if (!wait_readable_until(pidfd.get(), until)) return process::detail::try_reap(pidfd.get());
    if (const auto status = process::detail::try_reap(pidfd.get())) return status;
  }
}

std::size_t wait_any_child(std::span<process::child* const> children) {
  return *wait_any_child_until(children, no_deadline);
}

std::optional<std::size_t> wait_any_child_until(std::span<process::child* const> children,
                                                steady_time until) {
  auto all = pidfds_of(children);
  if (wait_any_until(all, until) == 0) return std::nullopt;
  std::size_t first = 0;
  while (all[first].ready == io_events::none) ++first;
  return first;
}

}  // namespace weft::inline v1
