#include "executor/schedule_core.hpp"

#include <algorithm>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/core/oracle.hpp>
#include <weft/core/unwinding.hpp>

namespace weft::inline v1::detail {
namespace {

constexpr auto watcher_idle_max = std::chrono::seconds(5);
using tick_length = std::chrono::microseconds;

bool is_over(scheduled_state state) noexcept {
  return state != scheduled_state::waiting && state != scheduled_state::running;
}

/// What is posted for one run. Its end settles the task, after the context of the run was left.
class due_call {
 public:
  explicit due_call(std::shared_ptr<scheduled_record> task) noexcept : task_(std::move(task)) {}
  due_call(due_call&&) noexcept = default;
  due_call& operator=(due_call&&) = delete;
  ~due_call() {
    if (task_ != nullptr) task_->of->settle(task_, ran_);
  }

  void operator()() {
    ran_ = true;
    schedule_core& of = *task_->of;
    cancel_scope scope;
    if (!of.begin(*task_, scope)) return;
    try {
      task_->work();
      of.end_run(*task_, scheduled_state::done, nullptr);
    } catch (const cancelled&) {
      of.end_run(*task_, scheduled_state::cancelled, nullptr);
    } catch (...) {
      of.end_run(*task_, scheduled_state::failed, std::current_exception());
      throw;  // whoever runs tasks reports it
    }
  }

 private:
  std::shared_ptr<scheduled_record> task_;
  bool ran_ = false;
};

}  // namespace

schedule_core::schedule_core(executor on, std::string name, std::size_t tasks_max)
    : on_(std::move(on)), name_(std::move(name)), tasks_max_(tasks_max) {}

schedule_core::~schedule_core() = default;

std::uint64_t schedule_core::tick_of(steady_time time) const noexcept {
  if (time <= epoch_) return 0;
  return static_cast<std::uint64_t>(std::chrono::ceil<tick_length>(time - epoch_).count());
}

// Arming.

void schedule_core::add(const std::shared_ptr<scheduled_record>& task) {
  scheduling_point("scheduled_pool::add");
  lock held(lock_);
  if (wheel_.size() >= tasks_max_) {
    held.unlock();
    throw error(errc::resource_exhausted, "scheduled_pool \"" + name_ + "\": " + std::to_string(tasks_max_) +
                                              " tasks wait for their time, which is tasks_max");
  }
  if (!closed_ && !watched_) start_watcher(held);
  if (closed_) {
    held.unlock();
    throw error(errc::closed, "scheduled_pool \"" + name_ + "\": a task was scheduled after shutdown");
  }
  arm(task);
}

/// Throws with the lock free.
void schedule_core::start_watcher(lock& held) {
  watched_ = true;
  held.unlock();
  try {
    if (watcher_.joinable()) watcher_.join();
    watcher_ = started_thread(name_ + "-time", thread_signals::blocked,
                              [keep = shared_from_this(), this] { watch(); });
  } catch (...) {
    held.lock();
    watched_ = false;
    held.unlock();
    throw;
  }
  held.lock();
}

void schedule_core::arm(const std::shared_ptr<scheduled_record>& task) noexcept {
  task->state = scheduled_state::waiting;
  task->armed_ref = task;
  task->previous_armed = nullptr;
  task->next_armed = armed_;
  if (armed_ != nullptr) armed_->previous_armed = task.get();
  armed_ = task.get();
  const auto next = wheel_.next_tick();
  const std::uint64_t tick = tick_of(task->due_at);
  wheel_.arm(*task, tick);
  if (!next || tick < *next) watcher_waits_.serve_all();
}

std::shared_ptr<scheduled_record> schedule_core::disarm(scheduled_record& task) noexcept {
  if (task.armed()) wheel_.cancel(task);
  (task.previous_armed != nullptr ? task.previous_armed->next_armed : armed_) = task.next_armed;
  if (task.next_armed != nullptr) task.next_armed->previous_armed = task.previous_armed;
  return std::move(task.armed_ref);
}

/// The task, which is not armed, is over: ends its function, then tells those who wait.
void schedule_core::finish(lock& held, scheduled_record& task, scheduled_state how) noexcept {
  if (!is_over(task.state)) task.state = how;
  task.active = true;  // until its function has ended
  held.unlock();
  {
    const context::attachment in_root{context()};
    task.context = context();
    task.work.reset();
  }
  held.lock();
  task.active = false;
  task.ends.serve_all();
  task.may_wake_tasks.end();
}

// The watcher.

void schedule_core::watch() {
  lock held(lock_);
  while (!closed_) {
    if (scheduled_record* const due = take_due()) {
      held.unlock();
      post_due(due);
      held.lock();
      continue;
    }
    waiter self;
    const auto next = wheel_.next_tick();
    const steady_time until = next ? epoch_ + tick_length(*next) : deadline_after(watcher_idle_max);
    const auto outcome = wait_in(watcher_waits_, self, held, until, "scheduled_pool: wait for a time", false);
    if (outcome == wait_outcome::timed_out && wheel_.empty()) break;
  }
  watched_ = false;
}

/// Those whose time has come, in its order, out of the wheel; they are active.
scheduled_record* schedule_core::take_due() noexcept {
  const auto now =
      static_cast<std::uint64_t>(std::chrono::floor<tick_length>(steady_clock::now() - epoch_).count());
  scheduled_record* first = nullptr;
  scheduled_record** end = &first;
  wheel_.advance(now, [&](timer_node& node) {
    auto& task = static_cast<scheduled_record&>(node);
    task.state = scheduled_state::running;
    task.active = true;
    task.posting = true;
    task.next_due = nullptr;
    *end = &task;
    end = &task.next_due;
  });
  return first;
}

void schedule_core::post_due(scheduled_record* first) {
  while (first != nullptr) {
    scheduled_record* const next = first->next_due;
    std::shared_ptr<scheduled_record> task;
    {
      const std::lock_guard held(lock_);
      task = disarm(*first);
    }
    first = next;
    std::exception_ptr refused;
    try {
      on_.core()->post({due_call(task), task->context, task->options, task->submitted_at});
    } catch (...) {
      refused = std::current_exception();
    }
    bool dropped = false;
    {
      const std::lock_guard held(lock_);
      task->posting = false;
      dropped = std::exchange(task->dropped, false);
      if (refused != nullptr && task->period > task->period.zero() && !closed_) ++task->missed;
    }
    if (!dropped) continue;
    const bool is_periodic = task->period > task->period.zero();
    if (refused != nullptr && !is_periodic) fail_unstarted(*task, refused);
    settle(task, refused != nullptr && is_periodic);
  }
}

/// No thread could take it, and there is no next time.
void schedule_core::fail_unstarted(scheduled_record& task, const std::exception_ptr& why) noexcept {
  end_run(task, scheduled_state::failed, why);
  const context::attachment in_its_context(task.context);
  on_.core()->report_uncaught(
      {.error = why, .executor = name_, .name = task.options.name, .submitted_at = task.submitted_at});
}

// A run.

bool schedule_core::begin(scheduled_record& task, cancel_scope& scope) noexcept {
  const std::lock_guard held(lock_);
  if (is_over(task.state)) return false;
  ++task.runs;
  task.scope = &scope;
  task.place = task_block::current().place;
  return true;
}

void schedule_core::end_run(scheduled_record& task, scheduled_state how, std::exception_ptr error) noexcept {
  const std::lock_guard held(lock_);
  task.scope = nullptr;
  task.place = nullptr;
  task.error = std::move(error);
  const bool goes_on = how == scheduled_state::done && task.period > task.period.zero();
  if (!goes_on && !is_over(task.state)) task.state = how;
}

void schedule_core::set_next_due(scheduled_record& task) noexcept {
  const steady_time now = steady_clock::now();
  if (task.after_end) {
    task.due_at = now + task.period;
    return;
  }
  task.due_at += task.period;
  if (task.due_at > now) return;
  const auto passed = (now - task.due_at) / task.period + 1;
  task.missed += static_cast<std::uint64_t>(passed);
  task.due_at += passed * task.period;
}

/// `ran`: it began, or shall be tried again at its next time.
void schedule_core::settle(const std::shared_ptr<scheduled_record>& task, bool ran) noexcept {
  lock held(lock_);
  if (task->posting && !ran) {
    task->dropped = true;
    return;
  }
  if (!is_over(task->state) && ran && !closed_) {
    task->active = false;
    set_next_due(*task);
    arm(task);
    return;
  }
  finish(held, *task, scheduled_state::cancelled);
}

// From outside.

bool schedule_core::cancel(scheduled_record& task) noexcept {
  lock held(lock_);
  if (is_over(task.state)) return false;
  task.state = scheduled_state::cancelled;
  if (task.active) {
    if (task.scope != nullptr && !is_inside(task.place)) task.scope->cancel(cancel_reason::requested);
    return true;
  }
  const auto armed_ref = disarm(task);
  finish(held, task, scheduled_state::cancelled);
  return true;
}

void schedule_core::wait(scheduled_record& task) {
  constexpr const char* what = "scheduled_task::wait";
  check_cancelled(what);
  lock held(lock_);
  if (task.place != nullptr && is_inside(task.place)) {
    held.unlock();
    throw error(errc::deadlock, "scheduled_task::wait: the task waits for its own end");
  }
  while (task.active || !is_over(task.state)) {
    waiter self;
    if (wait_in(task.ends, self, held, no_deadline, what) != wait_outcome::cancelled) continue;
    held.unlock();
    throw_cancelled(what);
  }
}

void schedule_core::close() noexcept {
  lock held(lock_);
  closed_ = true;
  watcher_waits_.serve_all();
  // Those that are due already, but not posted, are left to the watcher.
  const auto next = [this] {
    scheduled_record* one = armed_;
    while (one != nullptr && one->active) one = one->next_armed;
    return one;
  };
  while (scheduled_record* const task = next()) {
    const auto armed_ref = disarm(*task);
    finish(held, *task, scheduled_state::cancelled);
  }
}

void schedule_core::join_watcher() {
  if (watcher_.joinable()) watcher_.join();
}

std::size_t schedule_core::waiting() const noexcept {
  const std::lock_guard held(lock_);
  return static_cast<std::size_t>(wheel_.size());
}

}  // namespace weft::inline v1::detail
