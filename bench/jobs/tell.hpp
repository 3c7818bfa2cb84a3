#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <unistd.h>

#include <weft/closure/closure.hpp>

// What the bench and its worker, a process of its own, have in common.

namespace weft::bench {

/// The clock that all processes of a machine read.
inline std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// A job that writes to stdout of its worker when it began: eight bytes.
inline closure<> tell_start() {
  return closure{named_closure<"bench.tell_start">([] {
    const std::int64_t now = steady_ns();
    (void)!::write(STDOUT_FILENO, &now, sizeof now);
  })};
}

}  // namespace weft::bench
