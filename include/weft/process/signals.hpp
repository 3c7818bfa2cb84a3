#pragma once

#include <csignal>
#include <initializer_list>

#include <weft/core/unique_fd.hpp>

namespace weft::process {

/// Lets a program wait for signals instead of being interrupted by them.
///
/// From its construction on the signals are blocked in this thread and in those that it starts, so
/// make it before any other thread. A signal that came before wait() is not lost.
class signal_watch {
 public:
  /// Throws weft::error where the system refuses.
  explicit signal_watch(std::initializer_list<int> signals);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  /// Gives the signals back their former way.
  ~signal_watch();

  /// Waits for one of them and returns its number. A fiber waits, a plain thread blocks; a
  /// cancellation point, which leaves the signal for the next wait.
  int wait();

 private:
  sigset_t former_{};
  unique_fd fd_;
};

}  // namespace weft::process
