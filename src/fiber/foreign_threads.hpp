#pragma once

#include <cstddef>

namespace weft::inline v1::detail {

/// While it lives, the calling thread is the loop of a run that weft started a thread for.
class loop_thread {
 public:
  loop_thread() noexcept;
  loop_thread(const loop_thread&) = delete;
  loop_thread& operator=(const loop_thread&) = delete;
  ~loop_thread();
};

/// How many threads this process has that are neither of this run, which has `loops` loops, nor of a pool
/// of weft: any of them might wake a fiber of the run. Those of other runs are among them. One system call.
std::size_t foreign_threads(std::size_t loops) noexcept;

}  // namespace weft::inline v1::detail
