#include <weft/executor/blocking.hpp>

#include <pthread.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace weft::detail {
namespace {

constexpr std::size_t threads_max = 256;
constexpr auto idle_max = std::chrono::seconds(5);

struct blocking_task {
  context captured;
  unique_function<void()> work;
};

/// Threads that come and go with the work. Never destroyed: a task may run until the process ends.
class elastic_pool {
 public:
  void post(blocking_task task) {
    // A thread is made under the lock: no other task can take the one that this task counts on.
    const std::lock_guard lock(mutex_);
    if (idle_ <= queue_.size() && threads_ < threads_max) start_thread();
    queue_.push_back(std::move(task));
    not_empty_.notify_one();
  }

 private:
  /// Throws only if there is no thread at all that could ever take the task.
  void start_thread() {
    try {
      std::thread one([this] { serve(); });
      pthread_setname_np(one.native_handle(), "weft-blocking");
      one.detach();
      ++threads_;
      ++idle_;
    } catch (const std::system_error&) {
      if (threads_ == 0) throw;
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const bool has_work = not_empty_.wait_for(lock, idle_max, [this] { return !queue_.empty(); });
      --idle_;
      if (!has_work) break;
      blocking_task task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      {
        const context::attachment here(std::move(task.captured));
        task.work();
        task.work.reset();
      }
      lock.lock();
      ++idle_;
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<blocking_task> queue_;  // guarded by mutex_
  std::size_t idle_ = 0;             // guarded by mutex_; threads without a task, new ones included
  std::size_t threads_ = 0;          // guarded by mutex_
};

std::atomic<elastic_pool*> the_pool{nullptr};

elastic_pool& pool() {
  // A forked child has none of the threads; it leaves the pool behind and makes its own.
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { the_pool.store(nullptr, std::memory_order_relaxed); });
  elastic_pool* now = the_pool.load(std::memory_order_acquire);
  if (now == nullptr) {
    auto made = std::make_unique<elastic_pool>();
    if (the_pool.compare_exchange_strong(now, made.get(), std::memory_order_acq_rel)) now = made.release();
  }
  return *now;
}

}  // namespace

void post_blocking(unique_function<void()> work) { pool().post({context::capture(), std::move(work)}); }

}  // namespace weft::detail
