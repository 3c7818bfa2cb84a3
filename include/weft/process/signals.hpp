#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>

#include <pthread.h>
#include <csignal>

#include <weft/core/clock.hpp>
#include <weft/core/unique_fd.hpp>

namespace weft::inline v1 {
namespace process {

/// Lets a program wait for signals instead of being ended or interrupted by them.
///
/// While it lives the signals are caught, in whatever thread the system delivers them, and kept for
/// it: one that comes before the wait is not lost. As in the kernel a signal is kept once, however often
/// it comes before it is taken. Each watch gets each of its signals, so tasks that all want to see one
/// have a watch each; of one watch each signal is given once, and one task waits at a time (a second
/// one of the same loop gets weft::error (busy)).
///
/// The constructing thread unblocks them, and blocks them again at the end what it had blocked; another
/// handler of the program gives way meanwhile. Spawned programs get the default action. In a forked child the
/// default action is taken. Interrupted system calls of other threads go on (SA_RESTART) where the system
/// can.
///
/// Not for SIGCHLD (wait for the child: process::child, wait_child), SIGKILL and SIGSTOP, and the
/// signals of faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS).
///
/// Thread-safety: see above; ends where it was made. Costs one descriptor.
class signal_watch {
 public:
  /// Throws weft::error: invalid_argument for no signal and one of those above or out of range,
  /// resource_exhausted for more than `watches_max` watches in the process or without a descriptor.
  explicit signal_watch(std::initializer_list<int> signals);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  /// Gives the signals back their former way.
  ~signal_watch();

  /// Waits for one of them and returns its number. A fiber waits, a plain thread blocks; a
  /// cancellation point, which leaves the signal for the next wait.
  int wait();
  /// Nothing when `until` passed first.
  std::optional<int> wait_until(steady_time until);
  template <typename Rep, typename Period>
  std::optional<int> wait_for(std::chrono::duration<Rep, Period> bound) {
    return wait_until(deadline_after(bound));
  }
  /// One that has come. Never waits.
  std::optional<int> try_wait() noexcept;

  static constexpr std::size_t watches_max = 64;

 private:
  unique_fd bell_;
  std::size_t place_ = 0;
  sigset_t former_mask_{};
  pthread_t thread_ = pthread_self();
};

}  // namespace process

/// Waits for a signal, or for one of several, and gives its number. It must come while somebody waits: where
/// it may come before, keep a process::signal_watch. Several tasks may wait for one signal; all get it. A
/// cancellation point. Throws weft::error as process::signal_watch.
int wait_signal(std::initializer_list<int> signals);
inline int wait_signal(int signal) { return wait_signal({signal}); }
/// Nothing when `until` passed first.
std::optional<int> wait_signal_until(std::initializer_list<int> signals, steady_time until);
template <typename Rep, typename Period>
std::optional<int> wait_signal_for(std::initializer_list<int> signals,
                                   std::chrono::duration<Rep, Period> bound) {
  return wait_signal_until(signals, deadline_after(bound));
}

}  // namespace weft::inline v1
