#include <weft/executor/thread_pool.hpp>

#include <pthread.h>
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <weft/core/error.hpp>

namespace weft {

/// The queue and the threads.
///
/// closed_ only goes from false to true. A thread ends when closed_ and the queue is empty. A running
/// task's scope is in running_ while it runs, so that shutdown can cancel it; one that starts after
/// that sees cancelling_.
class thread_pool::state {
 public:
  explicit state(thread_pool_options options) : options_(std::move(options)) {}

  void start(const std::shared_ptr<state>& self);
  void post(context captured, task work);
  shutdown_report drain(steady_time until);
  void join_threads();
  std::size_t threads() const noexcept { return options_.threads; }
  std::size_t queued() const noexcept {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  struct entry {
    context captured;
    task work;
  };
  void serve();
  void run(entry one);
  static void drop(std::deque<entry> left);

  const thread_pool_options options_;
  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::deque<entry> queue_;               // guarded by mutex_
  std::vector<promise<void>> when_idle_;  // guarded by mutex_
  std::vector<cancel_scope*> running_;    // guarded by mutex_
  std::size_t active_ = 0;                // guarded by mutex_; tasks taken and not finished
  std::size_t finished_ = 0;              // guarded by mutex_
  bool cancelling_ = false;               // guarded by mutex_; only goes to true
  bool closed_ = false;                   // guarded by mutex_
  std::vector<std::thread> threads_;      // constant after start
};

void thread_pool::state::start(const std::shared_ptr<state>& self) {
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([self] { self->serve(); });
    const std::string name = (options_.name + "-" + std::to_string(i)).substr(0, 15);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

void thread_pool::state::post(context captured, task work) {
  const std::lock_guard lock(mutex_);
  if (closed_) throw error(errc::closed, "thread_pool \"" + options_.name + "\": submit after shutdown");
  if (queue_.size() >= options_.queue_max) {
    throw error(errc::resource_exhausted, "thread_pool \"" + options_.name +
                                              "\": " + std::to_string(queue_.size()) +
                                              " tasks wait, which is queue_max; submit fewer or raise it");
  }
  queue_.push_back({std::move(captured), std::move(work)});
  not_empty_.notify_one();
}

void thread_pool::state::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    not_empty_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return;
    entry one = std::move(queue_.front());
    queue_.pop_front();
    ++active_;
    lock.unlock();
    run(std::move(one));
    lock.lock();
    --active_;
    ++finished_;
    if (queue_.empty() && active_ == 0) {
      for (auto& idle : when_idle_) idle.set_value();
      when_idle_.clear();
    }
  }
}

void thread_pool::state::run(entry one) {
  const context::attachment here(std::move(one.captured));
  cancel_scope scope;
  {
    const std::lock_guard lock(mutex_);
    running_.push_back(&scope);
    if (cancelling_) scope.cancel(cancel_reason::shutdown);
  }
  one.work(task_start::run);
  one.work.reset();  // what it captured ends in its context, before anybody is told
  const std::lock_guard lock(mutex_);
  std::erase(running_, &scope);
}

void thread_pool::state::drop(std::deque<entry> left) {
  for (entry& one : left) {
    const context::attachment here(std::move(one.captured));
    one.work(task_start::dropped);
    one.work.reset();
  }
}

shutdown_report thread_pool::state::drain(steady_time until) {
  future<void> is_idle;
  std::size_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    not_empty_.notify_all();
    before = finished_;
    if (queue_.empty() && active_ == 0) return {};
    is_idle = when_idle_.emplace_back().get_future();
  }
  // A fiber that shuts a pool down must not block its thread: tasks may wait for other fibers.
  const bool in_time = shield([&] { return is_idle.wait_until(until); });
  std::deque<entry> left;
  shutdown_report report;
  {
    const std::lock_guard lock(mutex_);
    if (!in_time) {
      left.swap(queue_);
      cancelling_ = true;
      for (cancel_scope* scope : running_) scope->cancel(cancel_reason::shutdown);
    }
    report = {finished_ - before, left.size(), active_};
  }
  drop(std::move(left));
  return report;
}

void thread_pool::state::join_threads() {
  for (std::thread& one : threads_) one.join();
}

thread_pool::thread_pool(thread_pool_options options) {
  if (options.threads == 0) options.threads = std::max(1U, std::thread::hardware_concurrency());
  state_ = std::make_shared<state>(std::move(options));
  try {
    state_->start(state_);
  } catch (...) {
    state_->drain(no_deadline);  // the threads that could be made end
    state_->join_threads();
    throw;
  }
}

thread_pool::~thread_pool() {
  state_->drain(no_deadline);
  state_->join_threads();
}

void thread_pool::post(task work) { state_->post(context::capture(), std::move(work)); }

shutdown_report thread_pool::shutdown(std::chrono::milliseconds bound) {
  return state_->drain(deadline_after(bound));
}

std::size_t thread_pool::threads() const noexcept { return state_->threads(); }
std::size_t thread_pool::queued() const noexcept { return state_->queued(); }

}  // namespace weft
