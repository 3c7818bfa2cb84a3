#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace weft::bench {

/// What a process of one thread has had of a processor so far. Throws unavailable.
double cpu_seconds_of(pid_t process);

/// A server for the load, in a process of its own on the machine's first core. Ends with this object.
class server_process {
 public:
  /// `kind` is "raw" or "weft"; `under` is put in front of the command, e.g. {"strace", "-c"}.
  /// Throws unavailable where it cannot be started.
  explicit server_process(const std::string& kind, const std::vector<std::string>& under = {});
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  ~server_process() { end(); }

  int port() const noexcept { return port_; }
  /// Time on a processor so far.
  double cpu_seconds() const { return cpu_seconds_of(pid_); }
  /// Asks it to end and waits for that.
  void end() noexcept;

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

/// Keeps the caller off the first core, where there is another one.
void leave_the_first_core();

}  // namespace weft::bench
