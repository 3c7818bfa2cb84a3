#include <weft/executor/thread.hpp>

#include <mutex>
#include <string>
#include <utility>

#include <weft/core/error.hpp>

#include "executor/thread_core.hpp"
#include "executor/uncaught.hpp"

namespace weft::inline v1 {

namespace detail {

thread_core::thread_core(executor_task task, thread_options options)
    : options_(std::move(options)), task_(std::move(task)) {}

void thread_core::start() {
  thread_ = started_thread(options_.name, thread_signals::inherited,
                           [this, keep = shared_from_this()] { serve(); });
}

void thread_core::serve() noexcept {
  {
    const context::attachment here(std::move(task_.context));
    cancel_scope scope;
    {
      const std::lock_guard held(lock_);
      scope_ = &scope;
      if (cancelled_) scope.cancel(*cancelled_);
    }
    run_work(*this, task_);
    const std::lock_guard held(lock_);
    scope_ = nullptr;
  }
  end_work(task_);
  {
    const std::lock_guard held(lock_);
    over_ = true;
    joiners_.serve_all();
  }
  may_wake_tasks_.end();
}

bool thread_core::wait_over(steady_time until, bool cancellable) {
  constexpr const char* what = "thread::join";
  if (cancellable) check_cancelled(what);
  std::unique_lock held(lock_);
  while (!over_) {
    waiter self;
    const auto outcome = wait_in(joiners_, self, held, until, what, cancellable);
    if (outcome == wait_outcome::timed_out) return over_;
    if (outcome != wait_outcome::cancelled) continue;
    held.unlock();
    throw_cancelled(what);
  }
  return true;
}

void thread_core::cancel(cancel_reason reason) noexcept {
  const std::lock_guard held(lock_);
  if (!cancelled_) cancelled_ = reason;
  if (scope_ != nullptr) scope_->cancel(reason);
}

std::optional<unfinished_task> thread_core::unfinished() const {
  {
    const std::lock_guard held(lock_);
    if (over_) return std::nullopt;
  }
  return unfinished_task{.executor = options_.name,
                         .name = {},
                         .submitted_at = task_.submitted_at,
                         .running_for = steady_clock::now() - since_};
}

void thread_core::post(executor_task) {
  throw error(errc::unsupported, "thread \"" + options_.name + "\": it runs one function and takes no tasks");
}

void thread_core::report_uncaught(const failed_task& what) noexcept {
  if (options_.on_uncaught) {
    report_failed_task(options_.on_uncaught, what);
  } else {
    report_failed_task(what);
  }
}

}  // namespace detail

thread::thread() noexcept = default;

thread::thread(unique_function<void()> work, thread_options options, std::source_location from, start_tag) {
  auto made = std::make_shared<detail::thread_core>(
      executor_task{std::move(work), context::capture(), {}, from}, std::move(options));
  made->start();
  core_ = std::move(made);
}

thread::thread(thread&& other) noexcept = default;

thread& thread::operator=(thread&& other) noexcept {
  if (this != &other) {
    const thread ended = std::move(*this);
    core_ = std::move(other.core_);
  }
  return *this;
}

thread::~thread() {
  if (core_ == nullptr) return;
  core_->wait_over(no_deadline, false);
  core_->join();
}

bool thread::join_until(steady_time until) {
  if (core_ == nullptr) throw error(errc::misuse, "thread::join: the handle is empty");
  if (detail::is_inside(*core_)) {
    throw error(errc::deadlock,
                "thread::join: the thread \"" + std::string(core_->name()) + "\" would wait for its own end");
  }
  if (!core_->wait_over(until, true)) return false;
  core_->join();
  core_.reset();
  return true;
}

void thread::join() { join_until(no_deadline); }

void thread::cancel(cancel_reason reason) noexcept {
  if (core_ != nullptr) core_->cancel(reason);
}

std::string_view thread::name() const noexcept {
  return core_ == nullptr ? std::string_view() : core_->name();
}

}  // namespace weft::inline v1
