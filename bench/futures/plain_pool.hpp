#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace weft::bench {

/// What one would write in an hour: threads, a mutex, a queue of std::function. No context, cancellation,
/// priorities, bounds or names: the floor that submitting to a pool is measured against.
class plain_pool {
 public:
  explicit plain_pool(std::size_t threads);
  ~plain_pool();
  plain_pool(const plain_pool&) = delete;
  plain_pool& operator=(const plain_pool&) = delete;

  std::future<void> submit(std::function<void()> work);

 private:
  void serve();

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> queue_;
  bool ends_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weft::bench
