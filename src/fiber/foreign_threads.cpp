#include "fiber/foreign_threads.hpp"

#include <sys/stat.h>
#include <atomic>

#include <weft/core/started_thread.hpp>

#include "fiber/sanitizer.hpp"

namespace weft::inline v1::detail {
namespace {

// All runs; their first loops are on the callers' threads.
std::atomic<std::size_t> loop_threads{0};

#if defined(WEFT_TSAN)
constexpr std::size_t threads_of_sanitizer = 1;
#else
constexpr std::size_t threads_of_sanitizer = 0;
#endif

}  // namespace

loop_thread::loop_thread() noexcept { loop_threads.fetch_add(1, std::memory_order_relaxed); }
loop_thread::~loop_thread() { loop_threads.fetch_sub(1, std::memory_order_relaxed); }

std::size_t foreign_threads(std::size_t loops) noexcept {
  struct stat tasks {};
  if (stat("/proc/self/task", &tasks) != 0) return 1;  // not to be known: assume the worst
  const std::size_t all = tasks.st_nlink - 2;
  const std::size_t known =
      loops + started_thread::count() - loop_threads.load(std::memory_order_relaxed) + threads_of_sanitizer;
  return all > known ? all - known : 0;
}

}  // namespace weft::inline v1::detail
