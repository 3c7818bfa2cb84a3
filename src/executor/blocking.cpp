#include <weft/executor/blocking.hpp>

#include <pthread.h>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
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
    std::unique_lock lock(mutex_);
    const bool wants_thread = idle_ <= queue_.size() && threads_ < threads_max;
    if (wants_thread) {
      ++threads_;
      lock.unlock();
      start_thread();
      lock.lock();
    }
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
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (--threads_ == 0) throw;
    }
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
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
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<blocking_task> queue_;  // guarded by mutex_
  std::size_t idle_ = 0;             // guarded by mutex_
  std::size_t threads_ = 0;          // guarded by mutex_
};

elastic_pool& pool() {
  static elastic_pool& instance = *new elastic_pool;
  return instance;
}

}  // namespace

void post_blocking(unique_function<void()> work) { pool().post({context::capture(), std::move(work)}); }

}  // namespace weft::detail
