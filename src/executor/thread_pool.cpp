#include <weft/executor/thread_pool.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/core/outside_work.hpp>
#include <weft/core/started_thread.hpp>
#include <weft/metrics/registry.hpp>

namespace weft {

namespace {

constexpr const char* threads_name = "weft_pool_threads";
constexpr const char* running_name = "weft_pool_tasks_running";
constexpr const char* queued_name = "weft_pool_tasks_queued";

std::vector<metrics::given_family> given_families() {
  return {
      {.what = {.name = threads_name, .help = "Threads of pools", .labels = {"pool"}}},
      {.what = {.name = running_name, .help = "Tasks that pools run", .labels = {"pool"}}},
      {.what = {.name = queued_name, .help = "Tasks that wait for a thread of a pool", .labels = {"pool"}}},
  };
}

/// What the pools of one name count together.
struct pool_meters {
  explicit pool_meters(const std::string& pool) {
    auto& to = metrics::default_registry();
    queue_wait = to.get_histograms({.name = "weft_pool_queue_wait_seconds",
                                    .help = "How long tasks waited for a thread of a pool",
                                    .unit = "seconds",
                                    .labels = {"pool"}})
                     .with({pool});
    refused = to.get_counters({.name = "weft_pool_refused_tasks_total",
                               .help = "Tasks that pools refused at queue_max",
                               .labels = {"pool"}})
                  .with({pool});
  }
  metrics::histogram queue_wait;
  metrics::counter refused;
};

}  // namespace

/// The queue and the threads.
///
/// The threads wait as every task does (context/wait.hpp), so that a simulation can run them. One that
/// finds the queue empty joins idle_threads_; each task that comes wakes the one that waits longest, and
/// whoever is up first takes it. closed_ only goes from false to true. A thread ends when closed_ and the
/// queue is empty. A running task's scope is in running_ while it runs, so that shutdown can cancel it;
/// one that starts after that sees cancelling_. Nothing is allocated or freed under lock_.
class thread_pool::state {
 public:
  explicit state(thread_pool_options options)
      : options_(std::move(options)),
        meters_(options_.name),
        source_(metrics::default_registry().add_source(given_families(),
                                                       [this](metrics::readings& to) { read(to); })) {
    running_.reserve(options_.threads);
  }

  void start(const std::shared_ptr<state>& self);
  void post(context captured, task work);
  shutdown_report drain(steady_time until);
  void join_threads();
  std::size_t threads() const noexcept { return options_.threads; }
  std::size_t queued() const noexcept {
    const std::lock_guard lock(lock_);
    return queued_;
  }

 private:
  /// A task. Its guard ends after everybody who waits for the task was woken.
  struct entry {
    context captured;
    task work;
    steady_time queued_at = steady_clock::now();
    detail::outside_work may_wake_tasks = {};
    entry* next = nullptr;
  };
  void serve();
  std::unique_ptr<entry> take(std::unique_lock<detail::spin_lock>& lock);
  void run(entry& one);
  static std::size_t drop(entry* first);
  void read(metrics::readings& to) const;

  const thread_pool_options options_;
  const pool_meters meters_;
  mutable detail::spin_lock lock_;
  entry* first_ = nullptr;                       // guarded by lock_; owned; linked by next
  entry* last_ = nullptr;                        // guarded by lock_
  std::size_t queued_ = 0;                       // guarded by lock_
  detail::waiter_line idle_threads_;             // guarded by lock_
  detail::waiter_line drains_;                   // guarded by lock_; wait until nothing is queued or runs
  std::vector<cancel_scope*> running_;           // guarded by lock_; has room for one a thread
  std::size_t active_ = 0;                       // guarded by lock_; tasks taken and not finished
  std::size_t finished_ = 0;                     // guarded by lock_
  bool cancelling_ = false;                      // guarded by lock_; only goes to true
  bool closed_ = false;                          // guarded by lock_
  std::vector<detail::started_thread> threads_;  // constant after start
  metrics::source source_;                       // last: nothing is read of a pool that is ending
};

void thread_pool::state::start(const std::shared_ptr<state>& self) {
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back(options_.name + "-" + std::to_string(i), detail::thread_signals::inherited,
                          [self] { self->serve(); });
  }
}

void thread_pool::state::post(context captured, task work) {
  detail::scheduling_point("thread_pool::submit");
  auto one = std::make_unique<entry>(entry{std::move(captured), std::move(work)});
  std::unique_lock lock(lock_);
  if (closed_) {
    lock.unlock();
    throw error(errc::closed, "thread_pool \"" + options_.name + "\": submit after shutdown");
  }
  if (queued_ >= options_.queue_max) {
    lock.unlock();
    meters_.refused.add();
    throw error(errc::resource_exhausted, "thread_pool \"" + options_.name +
                                              "\": " + std::to_string(options_.queue_max) +
                                              " tasks wait, which is queue_max; submit fewer or raise it");
  }
  entry* const added = one.release();
  (last_ != nullptr ? last_->next : first_) = added;
  last_ = added;
  ++queued_;
  if (!idle_threads_.empty()) idle_threads_.serve_front();
}

/// The next task; null when no more will come.
auto thread_pool::state::take(std::unique_lock<detail::spin_lock>& lock) -> std::unique_ptr<entry> {
  while (first_ == nullptr) {
    if (closed_) return nullptr;
    detail::waiter self;
    detail::wait_in(idle_threads_, self, lock, no_deadline, "thread_pool: wait for a task", false);
  }
  entry* const one = first_;
  first_ = one->next;
  if (first_ == nullptr) last_ = nullptr;
  --queued_;
  ++active_;
  return std::unique_ptr<entry>(one);
}

void thread_pool::state::serve() {
  std::unique_lock lock(lock_);
  while (auto one = take(lock)) {
    lock.unlock();
    run(*one);
    lock.lock();
    --active_;
    ++finished_;
    if (first_ == nullptr && active_ == 0) drains_.serve_all();
    lock.unlock();
    one.reset();
    lock.lock();
  }
}

void thread_pool::state::run(entry& one) {
  meters_.queue_wait.record(steady_clock::now() - one.queued_at);
  const context::attachment here(std::move(one.captured));
  cancel_scope scope;
  {
    const std::lock_guard lock(lock_);
    running_.push_back(&scope);
    if (cancelling_) scope.cancel(cancel_reason::shutdown);
  }
  one.work(task_start::run);
  one.work.reset();  // what it captured ends in its context, before anybody is told
  const std::lock_guard lock(lock_);
  std::erase(running_, &scope);
}

void thread_pool::state::read(metrics::readings& to) const {
  std::size_t running = 0;
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(lock_);
    running = active_;
    waiting = queued_;
  }
  to.add(threads_name, static_cast<double>(options_.threads), {options_.name});
  to.add(running_name, static_cast<double>(running), {options_.name});
  to.add(queued_name, static_cast<double>(waiting), {options_.name});
}

/// Tells tasks that they will not run; how many they were.
std::size_t thread_pool::state::drop(entry* first) {
  std::size_t count = 0;
  for (; first != nullptr; ++count) {
    const std::unique_ptr<entry> one(std::exchange(first, first->next));
    const context::attachment here(std::move(one->captured));
    one->work(task_start::dropped);
    one->work.reset();
  }
  return count;
}

shutdown_report thread_pool::state::drain(steady_time until) {
  std::unique_lock lock(lock_);
  closed_ = true;
  idle_threads_.serve_all();
  if (first_ == nullptr && active_ == 0) return {};
  const std::size_t before = finished_;
  detail::waiter self;
  // Parks a fiber, as everything does: tasks may wait for other fibers of its thread.
  detail::wait_in(drains_, self, lock, until, "thread_pool::shutdown", false);
  entry* left = nullptr;
  if (first_ != nullptr || active_ != 0) {
    left = std::exchange(first_, nullptr);
    last_ = nullptr;
    queued_ = 0;
    cancelling_ = true;
    for (cancel_scope* scope : running_) scope->cancel(cancel_reason::shutdown);
  }
  shutdown_report report{.finished_tasks = finished_ - before, .running_tasks = active_};
  lock.unlock();
  report.dropped_tasks = drop(left);
  return report;
}

void thread_pool::state::join_threads() {
  for (detail::started_thread& one : threads_) one.join();
}

namespace {

/// In a simulation the same on every machine, so that a seed replays elsewhere.
std::size_t one_for_each_core() noexcept {
  constexpr std::size_t simulated_cores = 4;
  if (detail::oracle::current() != nullptr) return simulated_cores;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

thread_pool::thread_pool(thread_pool_options options) {
  if (options.threads == 0) options.threads = one_for_each_core();
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
