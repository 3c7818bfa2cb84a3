#include <weft/executor/blocking.hpp>

#include <pthread.h>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>

namespace weft::detail {
namespace {

constexpr std::size_t threads_max = 256;
constexpr auto idle_max = std::chrono::seconds(5);

/// Work that waits for a thread. Its guard ends after everybody who waits for the work was woken.
struct blocking_task {
  context captured;
  unique_function<void()> work;
  outside_work may_wake_tasks = {};
  blocking_task* next = nullptr;
};

/// Threads that come and go with the work. Never destroyed: a task may run until the process ends.
///
/// Each queued task counts on an idle thread of its own: idle_ is never below queued_ unless there are
/// threads_max or no more can be had. post() looks and queues under one hold of lock_, because an idle
/// thread may end in between; starting_ keeps other posts away while it starts a thread without lock_.
class elastic_pool {
 public:
  void post(std::unique_ptr<blocking_task> task) {
    const std::lock_guard one_at_a_time(starting_);
    std::unique_lock lock(lock_);
    while (idle_ <= queued_ && threads_ < threads_max) {
      if (!start_thread(lock)) break;
    }
    push(task.release());
    if (!idle_threads_.empty()) idle_threads_.serve_front();
  }

 private:
  /// False: the system gives no thread, but there are some. Throws weft::error if there is none at all
  /// that could ever take a task.
  bool start_thread(std::unique_lock<spin_lock>& lock) {
    ++threads_;
    ++idle_;
    lock.unlock();
    try {
      started_thread("weft-blocking", thread_signals::inherited, [this] { serve(); }).detach();
    } catch (const error&) {
      lock.lock();
      --idle_;
      if (--threads_ == 0) throw;
      return false;
    }
    lock.lock();
    return true;
  }

  void push(blocking_task* task) noexcept {
    (last_ != nullptr ? last_->next : first_) = task;
    last_ = task;
    ++queued_;
  }

  std::unique_ptr<blocking_task> pop() noexcept {
    blocking_task* const task = std::exchange(first_, first_->next);
    if (first_ == nullptr) last_ = nullptr;
    --queued_;
    return std::unique_ptr<blocking_task>(task);
  }

  /// Waits for work; false after idle_max without.
  bool wait_for_work(std::unique_lock<spin_lock>& lock) {
    const steady_time until = deadline_after(idle_max);
    while (first_ == nullptr) {
      waiter self;
      const auto end = wait_in(idle_threads_, self, lock, until, "blocking: wait for work", false);
      if (end == wait_outcome::timed_out) break;
    }
    return first_ != nullptr;
  }

  void serve() {
    std::unique_lock lock(lock_);
    while (wait_for_work(lock)) {
      --idle_;
      std::unique_ptr<blocking_task> task = pop();
      lock.unlock();
      run(*task);
      task.reset();
      lock.lock();
      ++idle_;
    }
    --idle_;
    --threads_;
  }

  static void run(blocking_task& task) {
    const context::attachment here(std::move(task.captured));
    task.work();
    task.work.reset();
  }

  std::mutex starting_;
  spin_lock lock_;
  blocking_task* first_ = nullptr;  // guarded by lock_; owned; linked by next
  blocking_task* last_ = nullptr;   // guarded by lock_
  std::size_t queued_ = 0;          // guarded by lock_
  std::size_t idle_ = 0;            // guarded by lock_; threads without a task, new ones included
  std::size_t threads_ = 0;         // guarded by lock_
  waiter_line idle_threads_;        // guarded by lock_
};

std::atomic<elastic_pool*> the_pool{nullptr};

elastic_pool& simulated_pool(oracle& simulation) {
  std::shared_ptr<void>& pool = simulation.instance(&the_pool);
  if (pool == nullptr) pool = std::make_shared<elastic_pool>();
  return *static_cast<elastic_pool*>(pool.get());
}

elastic_pool& pool() {
  if (oracle* const simulation = oracle::current()) return simulated_pool(*simulation);
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

void post_blocking(unique_function<void()> work) {
  scheduling_point("blocking");
  pool().post(std::make_unique<blocking_task>(blocking_task{context::capture(), std::move(work)}));
}

}  // namespace weft::detail
