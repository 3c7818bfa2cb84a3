#include <weft/executor/common_pool.hpp>

#include <pthread.h>
#include <atomic>
#include <memory>

#include <weft/core/oracle.hpp>

#include "executor/pool_core.hpp"

namespace weft {
namespace {

// No lock here: a forked child has none of the threads, and leaves the pool behind.
std::atomic<thread_pool*> the_pool{nullptr};

}  // namespace

thread_pool& common_pool() {
  const auto make = [] {
    std::unique_ptr<thread_pool> made(new thread_pool(thread_pool_options::cached(0, "common")));
    made->is_common_ = true;
    return made;
  };
  if (detail::oracle* const simulation = detail::oracle::current()) {
    std::shared_ptr<void>& there = simulation->instance(&the_pool);
    if (there == nullptr) there = std::shared_ptr<thread_pool>(make());
    return *static_cast<thread_pool*>(there.get());
  }
  if (thread_pool* const there = the_pool.load(std::memory_order_acquire)) return *there;
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr, std::memory_order_relaxed); });
  auto made = make();
  thread_pool* there = nullptr;
  if (!the_pool.compare_exchange_strong(there, made.get())) return *there;
  return *made.release();  // never destroyed: a task may run until the process ends
}

}  // namespace weft
