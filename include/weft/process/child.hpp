#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/process/exit_status.hpp>

namespace weft::process {

/// A descriptor that a spawned program finds under a number of the parent's choice.
struct inherited_descriptor {
  int here = -1;   ///< open in this process
  int there = -1;  ///< its number in the program, 0 or more
};

/// A program to spawn.
struct spawn_options {
  std::string program;                        ///< path of the program; no search in PATH
  std::vector<std::string> arguments = {};    ///< argv, argv[0] included; empty: the path alone
  std::vector<std::string> environment = {};  ///< "NAME=value" added to, or in place of, the own environment
  std::vector<inherited_descriptor> descriptors = {};  ///< beside 0, 1 and 2; all others are closed
  bool own_group = false;  ///< leads a process group: an interrupt from the terminal does not reach it
};

/// A child process, held by a pidfd: a signal cannot reach another process that took its number.
///
/// The destructor kills (SIGKILL) and reaps a child that was not waited for. Members may be called
/// from one task at a time; kill() from any.
class child {
 public:
  child() noexcept = default;
  child(child&&) noexcept = default;
  child& operator=(child&& other) noexcept;
  ~child();

  /// Forks: the child runs `body` and ends with its result as exit status, without destructors of
  /// static objects. An exception that leaves body is written to stderr; the status is 70 then.
  ///
  /// Throws weft::error (misuse) where this process has more than one thread: locks that other
  /// threads hold would stay locked in the child. Throws resource_exhausted where fork fails.
  static child fork(unique_function<int()> body);

  /// Starts a program, also from a process with threads. All signals have their default action and
  /// none is blocked in it. Throws weft::error that names the program.
  static child spawn(const spawn_options& options);

  explicit operator bool() const noexcept { return static_cast<bool>(pidfd_); }
  pid_t pid() const noexcept { return pid_; }
  /// Readable once the child has ended.
  int pidfd() const noexcept { return pidfd_.get(); }

  /// How it ended, if it has; reaps it. Never waits.
  std::optional<exit_status> try_wait();
  /// Waits for its end and reaps it. A fiber waits, a plain thread blocks. Cancelled, the child is as it was.
  exit_status wait();
  /// Nothing if it still ran at `until`.
  std::optional<exit_status> wait_until(steady_time until);
  template <typename Rep, typename Period>
  std::optional<exit_status> wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }

  /// Sends a signal; false when the child has ended.
  bool kill(int signal) noexcept;
  /// SIGTERM, then SIGKILL if it has not ended within `grace`; reaps it.
  exit_status terminate(std::chrono::milliseconds grace);

 private:
  child(pid_t pid, unique_fd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
  static child adopt(pid_t pid);
  void end_now() noexcept;

  pid_t pid_ = -1;
  unique_fd pidfd_;
  std::optional<exit_status> status_;
};

/// Sends a signal by pidfd; false when that process has ended or may not be signalled.
bool send_signal(int pidfd, int signal) noexcept;

}  // namespace weft::process
