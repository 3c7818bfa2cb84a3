#pragma once

#include <cstddef>

namespace weft::detail {

/// While it lives, the calling thread is one of a run: it is not foreign.
class thread_of_run {
 public:
  thread_of_run() noexcept;
  thread_of_run(const thread_of_run&) = delete;
  thread_of_run& operator=(const thread_of_run&) = delete;
  ~thread_of_run();
};

/// How many threads this process has that are neither weft's nor in a run: any of them might wake a
/// fiber. The caller is in a run. One system call.
std::size_t foreign_threads() noexcept;

}  // namespace weft::detail
