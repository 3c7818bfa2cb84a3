#include "executor/elastic_pool.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/started_thread.hpp>

namespace weft::inline v1::detail {
namespace {

/// Longer bounds are as good as this one, and could not be added to a time.
constexpr auto longest = std::chrono::hours(24 * 365);
/// Between two looks of the keeper: the number of threads at most doubles in it.
constexpr auto keeper_pause_min = std::chrono::milliseconds(1);

/// In a simulation the same on every machine, so that a seed replays elsewhere.
std::size_t cores() noexcept {
  constexpr std::size_t simulated_cores = 4;
  if (oracle::current() != nullptr) return simulated_cores;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

blocking_options elastic_pool::checked(blocking_options options) {
  if (options.threads_max == 0 || options.queue_max == 0) {
    throw error(errc::invalid_argument, "blocking options: threads_max and queue_max must be at least 1");
  }
  if (options.threads_eager == 0) options.threads_eager = 2 * cores();
  options.threads_eager = std::min(options.threads_eager, options.threads_max);
  options.grow_after = std::min<std::chrono::microseconds>(options.grow_after, longest);
  options.idle_max = std::min<std::chrono::milliseconds>(options.idle_max, longest);
  return options;
}

elastic_pool::elastic_pool(blocking_options options, metrics::histogram queue_wait)
    : queue_wait_(queue_wait), options_(checked(options)) {}

void elastic_pool::stop() {
  lock held(lock_);
  closing_ = true;
  free_.serve_all();
  keeper_.serve_all();
  while (threads_ > 0 || keeper_there_) {
    waiter self;
    wait_in(stopping_, self, held, no_deadline, "blocking: stop", false);
  }
}

void elastic_pool::set_options(blocking_options options) {
  options = checked(options);
  const std::lock_guard starting(starting_);
  lock held(lock_);
  options_ = options;
  // Tasks may wait that a thread may now be made for.
  while (has_uncovered() && threads_ < options_.threads_eager && start_thread(held)) {
  }
  if (has_uncovered() && threads_ < options_.threads_max) call_keeper(held);
  keeper_.serve_all();
}

blocking_statistics elastic_pool::statistics() const {
  const std::lock_guard held(lock_);
  return {.threads = threads_,
          .idle_threads = free_.size(),
          .peak_threads = peak_threads_,
          .queued_tasks = queued_,
          .started_tasks = started_tasks_,
          .refused_tasks = refused_tasks_};
}

void elastic_pool::post(unique_function<void()> work) {
  auto one = std::make_unique<task>(task{context::capture(), std::move(work)});
  const std::lock_guard starting(starting_);
  lock held(lock_);
  require_room(held);
  // Queued first: a thread that is made meanwhile looks once, and sits down if there is nothing.
  push(one.release());
  try {
    if (has_uncovered()) get_thread(held);
  } catch (...) {
    one = pop();  // there is no thread, so it is the only task
    held.unlock();
    throw;
  }
}

void elastic_pool::require_room(lock& held) {
  const std::size_t waiting = has_uncovered() ? queued_ - coming_ : 0;
  if (waiting < options_.queue_max) return;
  ++refused_tasks_;
  const std::size_t threads = threads_;
  held.unlock();
  throw error(errc::resource_exhausted,
              "blocking: " + std::to_string(waiting) + " calls wait for one of " + std::to_string(threads) +
                  " threads, which is queue_max; call it less often, or raise threads_max or queue_max");
}

void elastic_pool::push(task* added) noexcept {
  (last_ != nullptr ? last_->next : first_) = added;
  last_ = added;
  ++queued_;
}

std::unique_ptr<elastic_pool::task> elastic_pool::pop() noexcept {
  task* const taken = std::exchange(first_, first_->next);
  if (first_ == nullptr) last_ = nullptr;
  --queued_;
  return std::unique_ptr<task>(taken);
}

const elastic_pool::task& elastic_pool::first_uncovered() const noexcept {
  const task* one = first_;
  for (std::size_t i = 0; i < coming_; ++i) one = one->next;
  return *one;
}

void elastic_pool::call_free_thread() noexcept {
  ++coming_;
  free_.serve(*free_.back());
}

/// For a task that nobody comes for. Throws only if there is no thread at all that could ever take it.
void elastic_pool::get_thread(lock& held) {
  if (!free_.empty()) {
    call_free_thread();
  } else if (threads_ < options_.threads_eager || (threads_ < options_.threads_max && !call_keeper(held))) {
    start_thread(held);
  }
}

/// False: the system has no thread for us now. Throws what it said where there is none at all for the task.
bool elastic_pool::start_thread(lock& held) {
  ++threads_;
  ++coming_;
  peak_threads_ = std::max(peak_threads_, threads_);
  held.unlock();
  try {
    started_thread("weft-blocking", thread_signals::inherited, [this] { serve(); }).detach();
  } catch (const std::exception&) {
    held.lock();
    --coming_;
    // The last thread may have run the task meanwhile, and ended.
    if (--threads_ == 0 && first_ != nullptr) throw;
    return false;
  }
  held.lock();
  return true;
}

/// Has it look at the queue before grow_after is over. False: there is none, and none can be made.
bool elastic_pool::call_keeper(lock& held) {
  if (keeper_there_) {
    if (std::exchange(keeper_unneeded_, false)) keeper_.serve_all();
    return true;
  }
  keeper_there_ = true;
  held.unlock();
  bool made = true;
  try {
    started_thread("weft-blk-keeper", thread_signals::blocked, [this] { keep(); }).detach();
  } catch (const std::exception&) {
    made = false;
  }
  held.lock();
  if (!made) keeper_there_ = false;
  return made;
}

void elastic_pool::serve() {
  lock held(lock_);
  --coming_;
  do {
    while (first_ != nullptr && threads_ <= options_.threads_max) run_next(held);
  } while (threads_ <= options_.threads_max && wait_until_called(held));
  --threads_;
  // Above a lowered threads_max it may have been called, and leaves a task to another one.
  if (has_uncovered() && !free_.empty()) call_free_thread();
  if (threads_ == 0) stopping_.serve_all();
}

void elastic_pool::run_next(lock& held) {
  std::unique_ptr<task> one = pop();
  ++started_tasks_;
  held.unlock();
  queue_wait_.record(steady_clock::now() - one->queued_at);
  {
    const context::attachment here(std::move(one->captured));
    one->work();
    one->work.reset();
  }
  one.reset();
  held.lock();
}

/// False: nobody called for idle_max, or the pool stops.
bool elastic_pool::wait_until_called(lock& held) {
  if (closing_) return false;
  waiter self;
  const steady_time until = deadline_after(options_.idle_max);
  if (wait_in(free_, self, held, until, "blocking: wait for work", false) != wait_outcome::served)
    return false;
  if (!closing_) --coming_;
  return true;
}

void elastic_pool::keep() {
  for (bool needed = true; needed;) {
    std::unique_lock starting(starting_);
    lock held(lock_);
    const steady_time now = steady_clock::now();
    start_for_overdue(held, now);
    starting.unlock();
    needed = !closing_ && sleep_as_keeper(held, now);
    if (needed) continue;
    keeper_there_ = false;
    keeper_unneeded_ = false;
    stopping_.serve_all();
  }
}

/// At most as many as there are: calls may wait only because the machine is busy, and then more threads are
/// no help.
void elastic_pool::start_for_overdue(lock& held, steady_time now) {
  for (std::size_t left = threads_; left > 0 && threads_ < options_.threads_max; --left) {
    if (!has_uncovered() || first_uncovered().queued_at + options_.grow_after > now) return;
    if (!start_thread(held)) return;
  }
}

/// Until a task may be overdue; false: it was not needed for idle_max.
bool elastic_pool::sleep_as_keeper(lock& held, steady_time now) {
  waiter self;
  if (has_uncovered() && threads_ < options_.threads_max) {
    const steady_time due = first_uncovered().queued_at + options_.grow_after;
    wait_in(keeper_, self, held, std::max(due, now + keeper_pause_min), "blocking: keep", false);
    return true;
  }
  keeper_unneeded_ = true;
  const steady_time until = deadline_after(options_.idle_max);
  return wait_in(keeper_, self, held, until, "blocking: keep", false) == wait_outcome::served;
}

}  // namespace weft::inline v1::detail
