#include <weft/executor/future.hpp>

#include <memory>
#include <mutex>
#include <string>

#include <weft/core/error.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/late_wakes.hpp>

#include "executor/exception_of.hpp"

namespace weft::inline v1::detail {

bool future_core::wait_ready(steady_time until) {
  constexpr const char* what = "future::get";
  if (is_ready()) {
    if (!lock_.is_free()) {
      const std::lock_guard until_publish_is_over(lock_);
    }
    return true;
  }
  task_block& task = task_block::current();
  check_cancelled(task, what);
  if (task.place != nullptr) {
    if (until == no_deadline) refuse_wait(what);
    run_queued_callbacks(*this);
  }
  std::unique_lock lock(lock_);
  if (is_ready()) return true;
  waiter self;
  const auto outcome = wait_and_leave(task, waiters_, self, lock, until, what);
  if (outcome == wait_outcome::cancelled) throw_cancelled(what);
  return outcome == wait_outcome::served;
}

void future_core::publish() noexcept {
  future_callback* calls = nullptr;
  {
    const late_wakes after_the_lock;
    const std::lock_guard lock(lock_);
    ready_.store(true, std::memory_order_release);
    while (callbacks_ != nullptr) {  // the oldest first
      future_callback* const one = std::exchange(callbacks_, callbacks_->next_);
      one->next_ = std::exchange(calls, one);
    }
    waiters_.serve_all();
  }
  if (calls != nullptr) run_callbacks(calls);
}

void future_core::call_when_ready(future_callback& call) noexcept {
  {
    const std::lock_guard lock(lock_);
    if (!is_ready()) {
      call.next_ = std::exchange(callbacks_, &call);
      return;
    }
  }
  call.next_ = nullptr;
  run_callbacks(&call);
}

void future_core::cancel(cancel_reason reason) noexcept {
  source_to_cancel self{.target = this, .holder = this};
  sources_to_cancel line;
  line.add(self);
  line.run(reason);
}

void sources_to_cancel::add(source_to_cancel& one) noexcept {
  one.target->retain();
  one.holder->retain();
  one.next = std::exchange(first_, &one);
}

void sources_to_cancel::run(cancel_reason reason) noexcept {
  while (first_ != nullptr) {
    source_to_cancel* const one = std::exchange(first_, first_->next);
    future_core* at = one->target;
    one->holder->release();  // and `one` with it, maybe
    while (at != nullptr) {
      future_core* source = nullptr;
      if (!at->is_ready()) {
        source = at->cancel_step(reason);
        at->add_sources(*this);
      }
      at->release();
      at = source;
    }
  }
}

void future_core::refuse_wait(const char* what) {
  const auto drop = [](future_core* one) { one->release(); };
  retain();
  std::unique_ptr<future_core, decltype(drop)> at(this, drop);
  while (at != nullptr && !at->is_ready()) {
    at->refuse_wait_for_itself(what);
    at.reset(at->source());
  }
}

void throw_no_state(const char* what) {
  throw error(errc::misuse,
              std::string(what) + ": the handle is empty; a result is taken once, by one handle");
}

void throw_already_set() {
  throw error(errc::misuse, "promise::set: the outcome was set before; use try_set where several may set it");
}

std::exception_ptr make_broken_promise(std::source_location made_at) {
  return exception_of([&] {
    std::string place = made_at.file_name();
    place.erase(0, place.find_last_of('/') + 1);  // npos + 1 is 0
    return broken_promise("promise: the one made at " + place + ':' + std::to_string(made_at.line()) +
                          " was dropped before it had an outcome");
  });
}

std::exception_ptr make_stopped(cancel_reason reason) {
  return exception_of([&] { return cancelled(reason, "future::cancel"); });
}

bool is_stop(const std::exception_ptr& error) noexcept { return holds_exception<cancelled>(error); }

}  // namespace weft::inline v1::detail
