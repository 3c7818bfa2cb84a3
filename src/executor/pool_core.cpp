#include "executor/pool_core.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>
#include <weft/core/late_wakes.hpp>
#include <weft/core/oracle.hpp>
#include <weft/metrics/registry.hpp>

#include "executor/uncaught.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr unsigned run_here_depth_max = 32;

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

// What the pools of one name count together.
metrics::histogram queue_wait_of(const std::string& pool) {
  return metrics::default_registry()
      .get_histograms({.name = "weft_pool_queue_wait_seconds",
                       .help = "How long tasks waited for a thread of a pool",
                       .unit = "seconds",
                       .labels = {"pool"}})
      .with({pool});
}
metrics::counter refused_of(const std::string& pool) {
  return metrics::default_registry()
      .get_counters({.name = "weft_pool_refused_tasks_total",
                     .help = "Tasks that pools refused at queue_max",
                     .labels = {"pool"}})
      .with({pool});
}

/// In a simulation the same on every machine, so that a seed replays elsewhere.
std::size_t one_for_each_core() noexcept {
  constexpr std::size_t simulated_cores = 4;
  if (oracle::current() != nullptr) return simulated_cores;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

thread_pool_options pool_core::checked(thread_pool_options options) {
  if (options.threads == 0) options.threads = one_for_each_core();
  if (options.queue_max == 0) {
    throw error(errc::invalid_argument, "thread_pool \"" + options.name + "\": queue_max must be at least 1");
  }
  options.threads_kept = std::min(options.threads_kept, options.threads);
  return options;
}

pool_core::pool_core(thread_pool_options options)
    : options_(std::move(options)),
      queue_wait_(queue_wait_of(options_.name)),
      refused_(refused_of(options_.name)),
      source_(metrics::default_registry().add_source(given_families(),
                                                     [this](metrics::readings& to) { read(to); })) {}

pool_core::~pool_core() = default;

void pool_core::start() {
  if (grows()) return;
  lock held(lock_);
  try {
    while (threads_ < options_.threads) start_thread(held);
  } catch (...) {
    held.unlock();
    drain(no_deadline, {});  // the threads that could be made end
    join_threads();
    throw;
  }
}

/// Left with the lock held, also by an exception.
void pool_core::start_thread(lock& held) {
  ++threads_;
  ++free_;
  const std::size_t number = threads_made_++;
  held.unlock();
  try {
    const std::lock_guard starting(starting_);
    auto record = std::make_unique<thread_record>();
    record->thread =
        started_thread(options_.name + "-" + std::to_string(number), thread_signals::inherited,
                       [keep = shared_from_this(), this, self_ref = record.get()] { serve(self_ref); });
    static_cast<void>(record.release());  // the thread's own
  } catch (...) {
    held.lock();
    --threads_;
    --free_;
    throw;
  }
  held.lock();
}

// Posting.

void pool_core::throw_closed() const {
  throw error(errc::closed, "thread_pool \"" + options_.name + "\": submit after shutdown");
}

void pool_core::throw_full(const char* why) const {
  refused_.add();
  throw error(errc::resource_exhausted, "thread_pool \"" + options_.name +
                                            "\": " + std::to_string(options_.queue_max) +
                                            " tasks wait, which is queue_max; " + why);
}

void pool_core::post(executor_task task) {
  scheduling_point("executor::post");
  if (!task_lines<entry>::is_valid(task.options.priority)) {
    throw error(errc::invalid_argument, "thread_pool \"" + options_.name + "\": the priority " +
                                            std::to_string(task.options.priority) + " is not in -32 to 31");
  }
  auto one = std::make_unique<entry>(entry{std::move(task)});
  lock held(lock_);
  if (!closed_ && is_full() && options_.full == when_full::run_here) {
    held.unlock();
    run_here(std::move(one));
    return;
  }
  accept(held);
  lines_.push(*one.release());
  --arriving_;
  if (threads_ == 0) serve_stranded(held);
  const late_wakes after_the_lock;  // not before: above the caller may wait, or run tasks, that wake others
  if (!idle_threads_.empty()) idle_threads_.serve(grows() ? *idle_threads_.back() : *idle_threads_.front());
  held.unlock();
}

/// The caller's task is counted in arriving_ now, and there is a thread for it. Throws with the lock free.
void pool_core::accept(lock& held) {
  if (closed_) {
    held.unlock();
    throw_closed();
  }
  if (is_full()) {
    wait_for_room(held);
  } else {
    ++arriving_;
  }
  if (!closed_) start_thread_if_needed(held);
  if (!closed_) return;
  --arriving_;
  if (is_quiet()) drains_.serve_all();
  held.unlock();
  throw_closed();
}

void pool_core::wait_for_room(lock& held) {
  if (options_.full == when_full::refuse || is_inside(*this)) {
    held.unlock();
    throw_full(options_.full == when_full::refuse
                   ? "submit fewer or raise it"
                   : "a task of the pool cannot wait for room, which comes only when tasks are done");
  }
  waiter self;
  constexpr const char* what = "executor::post";
  const wait_outcome outcome = wait_in(room_, self, held, no_deadline, what);
  if (outcome == wait_outcome::served) return;  // and counted by whoever did
  held.unlock();
  throw_cancelled(what);
}

void pool_core::start_thread_if_needed(lock& held) {
  if (lines_.size() + arriving_ <= free_ || threads_ >= options_.threads) return;
  try {
    start_thread(held);
  } catch (...) {
    if (threads_ > 0) return;  // it takes longer with those that are there
    --arriving_;
    serve_stranded(held);
    held.unlock();
    throw;
  }
}

/// For tasks that counted on the one thread that another poster was about to make, and could not.
void pool_core::serve_stranded(lock& held) {
  while (threads_ == 0 && !lines_.empty()) {
    const std::unique_ptr<entry> one(&lines_.pop());
    ++active_;
    held.unlock();
    run(*one);
    held.lock();
    finish_one();
  }
}

void pool_core::run_here(std::unique_ptr<entry> one) {
  const running_place* const here = task_block::current().place;
  if (here != nullptr && here->depth >= run_here_depth_max) {
    throw_full("and the caller itself runs inside of tasks that found no room, 32 deep");
  }
  lock held(lock_);
  ++active_;
  held.unlock();
  run(*one);
  held.lock();
  finish_one();
  held.unlock();
}

// Running.

/// The next task; null when the thread shall end.
auto pool_core::take(lock& held) -> std::unique_ptr<entry> {
  while (lines_.empty()) {
    if (closed_) return nullptr;
    const bool may_end = grows() && threads_ > options_.threads_kept;
    waiter self;
    const auto outcome =
        wait_in(idle_threads_, self, held, may_end ? deadline_after(options_.idle_max) : no_deadline,
                "thread_pool: wait for a task", false);
    // Those that arrive count on the threads that are free.
    if (outcome == wait_outcome::timed_out && threads_ > options_.threads_kept &&
        lines_.size() + arriving_ < free_)
      return nullptr;
  }
  std::unique_ptr<entry> one(&lines_.pop());
  --free_;
  ++active_;
  if (!room_.empty() && !is_full() && room_.serve_front()) ++arriving_;
  return one;
}

void pool_core::serve(thread_record* self_ref) {
  std::unique_ptr<thread_record> self(self_ref);
  lock held(lock_);
  while (auto one = take(held)) {
    held.unlock();
    run(*one);
    held.lock();
    ++free_;
    finish_one();
    held.unlock();
    one.reset();
    held.lock();
  }
  --free_;
  --threads_;
  ended_.swap(self);
  if (threads_ == 0) ends_.serve_all();
  held.unlock();
  if (self == nullptr) return;
  { const std::lock_guard it_is_made(starting_); }
  self->thread.join();
}

void pool_core::finish_one() {
  --active_;
  ++finished_;
  if (is_quiet()) drains_.serve_all();
}

/// In the task's context, on the thread of the pool or of the poster; the root's or the poster's afterwards.
void pool_core::run(entry& one) {
  const steady_time now = steady_clock::now();
  queue_wait_.record(now - one.queued_at);
  {
    const context::attachment here(std::move(one.task.context));
    cancel_scope scope;
    running self{.task = &one.task, .scope = &scope, .since = now};
    {
      const std::lock_guard held(lock_);
      self.next = running_;
      if (running_ != nullptr) running_->previous = &self;
      running_ = &self;
      if (cancelling_) scope.cancel(cancel_reason::shutdown);
    }
    run_work(*this, one.task);
    const std::lock_guard held(lock_);
    (self.previous != nullptr ? self.previous->next : running_) = self.next;
    if (self.next != nullptr) self.next->previous = self.previous;
  }
  end_work(one.task);
}

void pool_core::report_uncaught(const failed_task& what) noexcept {
  if (options_.on_uncaught) {
    report_failed_task(options_.on_uncaught, what);
  } else {
    report_failed_task(what);
  }
}

// The end.

void pool_core::close() noexcept {
  const std::lock_guard held(lock_);
  closed_ = true;
  idle_threads_.serve_all();
  // Each was promised nothing yet: it sees that the pool is closed.
  while (room_.serve_front()) ++arriving_;
}

/// Tells tasks that they will not run; how many they were.
std::size_t pool_core::drop(task_lines<entry>& left) noexcept {
  const std::size_t count = left.size();
  while (!left.empty()) {
    const std::unique_ptr<entry> one(&left.pop());
    one->task.context = context();
    end_work(one->task);
  }
  return count;
}

shutdown_report pool_core::drain(steady_time until, std::chrono::milliseconds grace) {
  constexpr const char* what = "thread_pool::shutdown";
  close();
  lock held(lock_);
  const std::size_t before = finished_;
  // Parks a fiber, as everything does: tasks may wait for other fibers of its thread.
  waiter self;
  if (!is_quiet()) wait_in(drains_, self, held, until, what, false);
  task_lines<entry> left;
  if (!is_quiet()) {
    std::swap(left, lines_);
    cancelling_ = true;
    for (running* one = running_; one != nullptr; one = one->next)
      one->scope->cancel(cancel_reason::shutdown);
    held.unlock();
    const std::size_t dropped = drop(left);
    held.lock();
    waiter again;
    if (grace > grace.zero() && !is_quiet())
      wait_in(drains_, again, held, deadline_after(grace), what, false);
    shutdown_report report{
        .finished_tasks = finished_ - before, .dropped_tasks = dropped, .running_tasks = active_};
    list(report);
    return report;
  }
  return {.finished_tasks = finished_ - before};
}

void pool_core::list(shutdown_report& to) const {
  const steady_time now = steady_clock::now();
  for (const running* one = running_; one != nullptr; one = one->next) {
    to.unfinished.push_back({.executor = options_.name,
                             .name = one->task->options.name,
                             .submitted_at = one->task->submitted_at,
                             .running_for = now - one->since});
  }
}

void pool_core::join_threads() {
  const outside_work they_end;  // and wake us then: a run in which all else waits is not stuck
  lock held(lock_);
  while (threads_ > 0) {
    waiter self;
    wait_in(ends_, self, held, no_deadline, "thread_pool: end of threads", false);
  }
  const std::unique_ptr<thread_record> last = std::move(ended_);
  held.unlock();
  if (last == nullptr) return;
  { const std::lock_guard it_is_made(starting_); }
  last->thread.join();
}

std::size_t pool_core::threads() const noexcept {
  const std::lock_guard held(lock_);
  return threads_;
}

std::size_t pool_core::queued() const noexcept {
  const std::lock_guard held(lock_);
  return lines_.size();
}

void pool_core::read(metrics::readings& to) const {
  std::size_t threads = 0;
  std::size_t active = 0;
  std::size_t waiting = 0;
  {
    const std::lock_guard held(lock_);
    threads = threads_;
    active = active_;
    waiting = lines_.size();
  }
  to.add(threads_name, static_cast<double>(threads), {options_.name});
  to.add(running_name, static_cast<double>(active), {options_.name});
  to.add(queued_name, static_cast<double>(waiting), {options_.name});
}

}  // namespace weft::inline v1::detail
