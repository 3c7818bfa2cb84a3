#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weft::inline v1 {

/// How the pool behind weft::blocking grows and shrinks.
struct blocking_options {
  std::size_t threads_max = 256;  ///< above that, calls wait for a thread that gets done
  std::size_t threads_eager =
      0;  ///< up to that a thread is made at once when none is free; 0: two a core, 8 in a simulation
  std::size_t queue_max = 100'000;  ///< calls that wait for a thread; more throw resource_exhausted
  std::chrono::microseconds grow_after{
      1000};  ///< above threads_eager, a call that waited so long gets a thread
  std::chrono::milliseconds idle_max{5000};  ///< a thread that was free so long ends
};

/// The pool behind weft::blocking at one moment. It is also in metrics::default_registry(), as
/// weft_blocking_*.
struct blocking_statistics {
  std::size_t threads = 0;          ///< that are there
  std::size_t idle_threads = 0;     ///< of these, free
  std::size_t peak_threads = 0;     ///< most that were there at once
  std::size_t queued_tasks = 0;     ///< that no thread has begun
  std::uint64_t started_tasks = 0;  ///< since the process began
  std::uint64_t refused_tasks = 0;  ///< since the process began, at queue_max
};

/// Changes the pool of the process, now or before its first use. Threads above a lowered bound end when they
/// are done. Throws weft::error (invalid_argument) for a bound of 0. Thread-safe.
void set_blocking_options(const blocking_options& options);

/// Thread-safe; never waits. All zero in a forked child that has not used the pool yet.
blocking_statistics get_blocking_statistics();

}  // namespace weft::inline v1
