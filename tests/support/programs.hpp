#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "support/sanitized.hpp"

// What a test that needs a program of others begins with: it is skipped where that is not installed, but
// never in CI; and under the sanitizers, which have nothing to find in it that other tests do not show them.
#define WEFT_NEED_PROGRAM(path)                                                                \
  do {                                                                                         \
    if (sanitized) GTEST_SKIP() << "not under a sanitizer";                                    \
    if (::access(path, X_OK) != 0) {                                                           \
      if (std::getenv("CI") != nullptr) FAIL() << path << " is missing (debian-packages.txt)"; \
      GTEST_SKIP() << path << " is not installed";                                             \
    }                                                                                          \
  } while (false)
