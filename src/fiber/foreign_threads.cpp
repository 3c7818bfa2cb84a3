#include "fiber/foreign_threads.hpp"

#include <sys/stat.h>
#include <atomic>

#include <weft/core/started_thread.hpp>

#include "fiber/sanitizer.hpp"

namespace weft::detail {
namespace {

// Callers of run. The threads of its other loops are counted where they were started.
std::atomic<std::size_t> threads_in_runs{0};

#if defined(WEFT_TSAN)
constexpr std::size_t threads_of_sanitizer = 1;
#else
constexpr std::size_t threads_of_sanitizer = 0;
#endif

}  // namespace

thread_of_run::thread_of_run() noexcept { threads_in_runs.fetch_add(1, std::memory_order_relaxed); }
thread_of_run::~thread_of_run() { threads_in_runs.fetch_sub(1, std::memory_order_relaxed); }

std::size_t foreign_threads() noexcept {
  struct stat tasks {};
  if (stat("/proc/self/task", &tasks) != 0) return 1;  // not to be known: assume the worst
  const std::size_t all = tasks.st_nlink - 2;
  const std::size_t known =
      threads_in_runs.load(std::memory_order_relaxed) + started_thread::count() + threads_of_sanitizer;
  return all > known ? all - known : 0;
}

}  // namespace weft::detail
