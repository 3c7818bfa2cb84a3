#pragma once

#include <chrono>
#include <optional>

#include <sys/types.h>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/process/spawn_options.hpp>

namespace weft::inline v1::process {

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
  /// threads hold would stay locked in the child. Throws resource_exhausted where fork fails. Called
  /// inside weft::run, body may compute and exec, but not wait: it shares the loop with its parent.
  static child fork(unique_function<int()> body);

  /// Starts a program, also from a process with threads, from several of them at once, and from a
  /// fiber: the thread sleeps until the program has been loaded, about a millisecond. All signals have
  /// their default action and none is blocked in it. Throws weft::error that names the program and the step
  /// that failed: not_found, refused (not executable), too_large (arguments), resource_exhausted.
  static child spawn(const spawn_options& options);

  explicit operator bool() const noexcept { return static_cast<bool>(pidfd_); }
  pid_t pid() const noexcept { return pid_; }
  /// Readable once the child has ended.
  int pidfd() const noexcept { return pidfd_.get(); }

  /// Has its end been seen here? Until then its number is not another process's.
  bool is_reaped() const noexcept { return status_.has_value(); }
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
  /// Lets it go on without this process, which neither kills nor reaps it any more: that is for who adopts it
  /// once this process has ended. The object has no child then.
  void detach() noexcept;

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

}  // namespace weft::inline v1::process
