#pragma once

#include <pthread.h>
#include <atomic>
#include <memory>

#include <weft/core/oracle.hpp>

namespace weft::inline v1::detail {

/// Something with threads that is there once in a process, made at first use and never destroyed: a task
/// may run until the process ends. A simulation has its own, which ends with it. A forked child has none
/// of the threads and makes its own. One for each type; static. Thread-safe, without a lock, which could be
/// held where the process forks.
template <typename Value>
class process_wide {
 public:
  template <typename Make>
  Value& get(Make&& make) {
    if (oracle* const simulation = oracle::current()) {
      std::shared_ptr<void>& there = simulation->instance(&value);
      if (there == nullptr) there = std::shared_ptr<Value>(make());
      return *static_cast<Value*>(there.get());
    }
    if (Value* const there = value.load(std::memory_order_acquire)) return *there;
    [[maybe_unused]] static const int registered =
        pthread_atfork(nullptr, nullptr, [] { value.store(nullptr, std::memory_order_relaxed); });
    std::unique_ptr<Value> made = make();
    Value* there = nullptr;
    if (!value.compare_exchange_strong(there, made.get())) return *there;
    return *made.release();
  }

 private:
  static constinit inline std::atomic<Value*> value{nullptr};
};

}  // namespace weft::inline v1::detail
