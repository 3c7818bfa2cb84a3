#pragma once

#include <sys/resource.h>

#include <cstddef>

/// The most bytes of this process that were in memory at once.
inline std::size_t peak_resident_bytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<std::size_t>(used.ru_maxrss) * 1024;
}
