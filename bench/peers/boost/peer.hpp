#pragma once

#include <boost/fiber/all.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <cstddef>
#include <utility>

#include "support/measure.hpp"

// The Boost.Fiber side of the figures. Each function measures one, in the unit of its row.

namespace weft::bench::boost_peer {

namespace fibers = boost::fibers;

constexpr std::size_t stack_bytes = 64 * 1024;

/// Pooled stacks, without guards, one pool for each thread so that they are warm.
inline fibers::pooled_fixedsize_stack& stacks() {
  static thread_local fibers::pooled_fixedsize_stack pool(stack_bytes);
  return pool;
}

/// A fiber that is queued.
template <typename Work>
fibers::fiber start(Work&& work) {
  return fibers::fiber(fibers::launch::post, std::allocator_arg, stacks(), std::forward<Work>(work));
}

/// A fiber that runs at once; what started it is queued. Trees stay as deep as they are, not as wide.
template <typename Work>
fibers::fiber start_now(Work&& work) {
  return fibers::fiber(fibers::launch::dispatch, std::allocator_arg, stacks(), std::forward<Work>(work));
}

/// Fibers wait in it until it is opened.
class gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  fibers::mutex mutex_;
  fibers::condition_variable opened_;
  bool open_ = false;
};

double fcontext_switch();
double spawn_and_join();
double spawn_that_waits_warm();
double spawn_that_waits_cold();
double yield_between(std::size_t count);
double ping_pong();
double channel_one_thread();
double channel_two_threads(std::size_t producers, std::size_t consumers);
double uncontended_mutex();
double mutex_across_yield();
double contended_mutex();
double parked_bytes(std::size_t count);
double guarded_fibers();
double sleepers(int rounds);
double skynet_milliseconds();
double fib_per_task();

}  // namespace weft::bench::boost_peer
