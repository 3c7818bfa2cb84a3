#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends a fuzzer's run, so that the input is kept, where `holds` is false.
inline void fuzz_check(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}
