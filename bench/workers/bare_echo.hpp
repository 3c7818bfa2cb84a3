#pragma once

#include <cstddef>

#include <sys/types.h>

namespace weft::bench {

/// A process that writes back what it reads from a socketpair, and nothing more.
class bare_echo {
 public:
  bare_echo();
  bare_echo(const bare_echo&) = delete;
  bare_echo& operator=(const bare_echo&) = delete;
  ~bare_echo();

  /// Writes `bytes` and waits until they are back.
  void round_trip(std::size_t bytes) const;

 private:
  int socket_ = -1;
  pid_t pid_ = -1;
};

/// Forks a process that ends at once, and waits for it.
void fork_and_exit();

}  // namespace weft::bench
