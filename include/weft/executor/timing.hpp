#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/core/clock.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/async.hpp>

// The family of timeout: futures and time. A thread of its own watches the times (common_scheduled_pool);
// functions attached to a future never run there, but for inline ones.

namespace weft {

namespace detail {

/// Calls `call` at `due`, in the root context; no_deadline: never.
class future_timer {
 public:
  future_timer() noexcept = default;
  future_timer(steady_time due, unique_function<void()> call);
  /// It is not called any more, unless it is being called.
  void cancel() noexcept;

 private:
  std::shared_ptr<void> task_;
};

std::exception_ptr make_timed_out(steady_time until);

/// The outcome of a source, or another one at some time: what comes first. The source is cancelled then, and
/// nobody waits for it. One reference for the source's callback, one for the timer's, one for the future.
template <typename Value>
class timed_state final : public future_state<Value>, private future_callback {
 public:
  timed_state(future_state<Value>* source_ref, std::optional<result<Value>> instead)
      : source_(source_ref), instead_(std::move(instead)) {}

  void arm(steady_time until) noexcept {
    future_timer timer;
    try {
      timer = future_timer(until, [held = reference(*this), until] { held.of->time_is_up(until); });
    } catch (...) {
      source_->cancel(cancel_reason::requested);
      this->set(std::current_exception());
    }
    {
      const std::lock_guard lock(this->lock_);
      if (!is_over_) timer_ = std::exchange(timer, {});
    }
    timer.cancel();
    source_->call_when_ready(*this);
  }

 private:
  struct reference {
    explicit reference(timed_state& what) noexcept : of(&what) { of->retain(); }
    reference(reference&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    reference& operator=(reference&&) = delete;
    ~reference() {
      if (of != nullptr) of->release();
    }
    timed_state* of;
  };

  ~timed_state() override { source_->release(); }
  void source_ready() noexcept override {
    source_->mark_observed();
    if (this->claim()) {
      end_timer();
      this->origin_ = source_->take_origin();
      this->keep(source_->take());
      this->publish();
    }
    this->release();
  }
  void time_is_up(steady_time until) noexcept {
    if (!this->claim()) return;
    end_timer();
    this->keep(instead_ ? std::move(*instead_) : result<Value>(make_timed_out(until)));
    if (!this->kept()->has_value()) this->origin_ = failure_here();
    source_->cancel(cancel_reason::deadline);
    this->publish();
  }
  void end_timer() noexcept {
    future_timer timer;
    {
      const std::lock_guard lock(this->lock_);
      is_over_ = true;
      std::swap(timer, timer_);
    }
    timer.cancel();
  }
  future_core* cancel_step(cancel_reason) noexcept override {
    source_->retain();
    return source_;
  }

  future_state<Value>* const source_;  // owned
  std::optional<result<Value>> instead_;
  bool is_over_ = false;  // guarded by lock_
  future_timer timer_;    // guarded by lock_
};

template <typename Value>
future<Value> timed(future<Value>&& of, steady_time until, std::optional<result<Value>> instead) {
  auto sticky = future_access::on(of);
  auto* const made = new timed_state<Value>(future_access::take(of, "future::timeout"), std::move(instead));
  auto outcome = future_access::make(static_cast<future_state<Value>*>(made), std::move(sticky));
  made->arm(until);
  return outcome;
}

/// Ready at `until`, or cancelled.
future<void> sleep_to(steady_time until);

template <typename Value>
future<Value> attach_deadline(combinators, future<Value>&& of, steady_time until) {
  return timed<Value>(std::move(of), until, std::nullopt);
}
template <typename Value>
future<Value> attach_timeout_or(combinators, future<Value>&& of, steady_time until,
                                typename result<Value>::stored_type instead) {
  if constexpr (std::is_void_v<Value>) {
    return timed<Value>(std::move(of), until, result<void>());
  } else {
    return timed<Value>(std::move(of), until, result<Value>(std::move(instead)));
  }
}
template <typename Value>
future<Value> attach_delayed(combinators tag, future<Value>&& of, steady_time until) {
  auto sticky = future_access::on(of);
  auto late = attach_result_inline(std::move(of), [tag, until](result<Value> outcome) {
    return attach_then_inline(
        tag, sleep_to(until),
        [outcome = std::move(outcome)]() mutable -> Value { return std::move(outcome).value(); },
        std::source_location::current());
  });
  future_access::on(late) = std::move(sticky);
  return late;
}

}  // namespace detail

/// Ready when `bound` has passed. No thread waits. Cancelled, it is over at once.
template <typename Rep, typename Period>
future<void> sleep(std::chrono::duration<Rep, Period> bound) {
  return detail::sleep_to(deadline_after(bound));
}

/// Runs `work` on the current executor when `bound` has passed, in the caller's context, and gives its
/// outcome.
template <typename Rep, typename Period, typename Work>
auto async_after(std::chrono::duration<Rep, Period> bound, Work&& work,
                 std::source_location from = std::source_location::current()) {
  return sleep(bound).then(std::forward<Work>(work), from);
}

}  // namespace weft
