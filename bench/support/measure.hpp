#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace weft::bench {

/// Makes the compiler believe that `value` is used, and may have been changed.
template <typename Value>
inline void keep(Value& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Seconds that `work` takes.
template <typename Work>
double seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  std::forward<Work>(work)();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Nanoseconds for each of the `count` operations that `work` does.
template <typename Work>
double ns_per(std::size_t count, Work&& work) {
  return seconds(std::forward<Work>(work)) * 1e9 / static_cast<double>(count);
}

/// CPU seconds that this thread used so far, user and system.
double thread_cpu_seconds();

/// As ns_per, but of the calling thread's CPU time: for what one thread computes without sleeping. It is
/// the same on a quiet machine, and on a busy one the time that others take does not count.
template <typename Work>
double cpu_ns_per(std::size_t count, Work&& work) {
  const double start = thread_cpu_seconds();
  std::forward<Work>(work)();
  return (thread_cpu_seconds() - start) * 1e9 / static_cast<double>(count);
}

/// Operations in a second, of the `count` that `work` does.
template <typename Work>
double per_second(std::size_t count, Work&& work) {
  return static_cast<double>(count) / seconds(std::forward<Work>(work));
}

/// Calls `body` `count` times.
template <typename Body>
void repeat(std::size_t count, Body&& body) {
  for (std::size_t n = 0; n < count; ++n) body();
}

/// The value below which `share` (0 to 1) of the samples lie; 0 without samples.
double percentile(std::vector<double> samples, double share);

/// The middle one; of an even number, the mean of the two in the middle.
double median(std::vector<double> samples);

/// CPU seconds that this process used so far, user and system.
double cpu_seconds();

}  // namespace weft::bench
