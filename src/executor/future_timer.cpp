#include <weft/executor/timing.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/core/error.hpp>
#include <weft/executor/scheduled_pool.hpp>

#include "executor/exception_of.hpp"

namespace weft::inline v1::detail {

future_timer::future_timer(steady_time due, unique_function<void()> call) {
  if (due == no_deadline) return;
  const context::attachment in_root{context()};  // it is nobody's work: no deadline ends it
  task_ = std::make_shared<scheduled_task>(
      common_scheduled_pool().once(std::max(due, steady_clock::now()) - steady_clock::now(), std::move(call),
                                   {.name = "a future's time"}));
}

void future_timer::cancel() noexcept {
  if (task_ == nullptr) return;
  static_cast<scheduled_task*>(task_.get())->cancel();
  task_.reset();
}

std::exception_ptr make_timed_out() {
  return exception_of(
      [] { return deadline_exceeded("future::timeout: the work did not finish before its bound"); });
}

namespace {

/// One reference for the timer, one for the future.
class sleep_state final : public future_state<void> {
 public:
  void arm(steady_time until) noexcept {
    future_timer made;
    try {
      made = future_timer(until, [held = state_reference(*this)] { held->set(result<void>()); });
    } catch (...) {
      set(std::current_exception());
    }
    future_timer late;
    {
      const std::lock_guard lock(lock_);
      late = timer_.keep(std::move(made));
    }
    late.cancel();
  }

 private:
  future_core* cancel_step(cancel_reason reason) noexcept override {
    future_timer timer;
    {
      const std::lock_guard lock(lock_);
      timer = timer_.end();
    }
    timer.cancel();
    stop(reason);
    return nullptr;
  }

  outcome_timer timer_;  // guarded by lock_
};

}  // namespace

future<void> sleep_to(steady_time until) {
  auto* const made = new sleep_state;
  auto outcome = future_access::make(static_cast<future_state<void>*>(made));
  made->arm(until);
  made->release();  // the promise's; the timer has its own
  return outcome;
}

}  // namespace weft::inline v1::detail
