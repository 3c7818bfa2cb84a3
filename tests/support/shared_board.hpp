#pragma once

#include <sys/mman.h>
#include <cerrno>
#include <chrono>
#include <functional>
#include <new>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/fiber.hpp>

namespace weft_test {

/// What the processes of a test tell it, atomics for example: a `Board` in memory that all those forked from
/// here on have, too. It is never freed.
template <typename Board>
Board& make_shared_board() {
  void* const shared =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw weft::system_error("map memory for a test's processes", errno);
  return *new (shared) Board();
}

/// Looks every millisecond, a fiber or a plain thread; false after a minute.
inline bool comes_true(const std::function<bool()>& what) {
  const weft::steady_time until = weft::steady_clock::now() + std::chrono::minutes(1);
  while (!what()) {
    if (weft::steady_clock::now() > until) return false;
    weft::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace weft_test
