#include "futures/plain_pool.hpp"

#include <utility>

namespace weft::bench {

plain_pool::plain_pool(std::size_t threads) {
  for (std::size_t n = 0; n < threads; ++n) threads_.emplace_back([this] { serve(); });
}

plain_pool::~plain_pool() {
  {
    const std::lock_guard lock(lock_);
    ends_ = true;
  }
  changed_.notify_all();
  for (auto& one : threads_) one.join();
}

std::future<void> plain_pool::submit(std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  auto outcome = task.get_future();
  {
    const std::lock_guard lock(lock_);
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
  return outcome;
}

void plain_pool::serve() {
  std::unique_lock lock(lock_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      auto task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace weft::bench
