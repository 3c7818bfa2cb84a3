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

namespace weft::inline v1 {

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

/// The timer of a future, which lives as long as its outcome is open. Guarded by the future's lock.
class outcome_timer {
 public:
  /// What is to be cancelled after the lock was given back: `made`, where the outcome is there already.
  [[nodiscard]] future_timer keep(future_timer made) noexcept {
    if (!is_over_) timer_ = std::exchange(made, {});
    return made;
  }
  [[nodiscard]] future_timer end() noexcept {
    is_over_ = true;
    return std::exchange(timer_, {});
  }

 private:
  bool is_over_ = false;
  future_timer timer_;
};

/// One reference of a state, for a function that is held.
template <typename State>
class state_reference {
 public:
  explicit state_reference(State& of) noexcept : of_(&of) { of.retain(); }
  state_reference(state_reference&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
  state_reference& operator=(state_reference&&) = delete;
  ~state_reference() {
    if (of_ != nullptr) of_->release();
  }
  State* operator->() const noexcept { return of_; }

 private:
  State* of_;
};

std::exception_ptr make_timed_out();

/// The outcome of a source, or another one at some time: what comes first. The source is cancelled then, and
/// nobody waits for it. One reference for the source's callback, one for the timer's, one for the future.
template <typename Value>
class timed_state final : public future_state<Value>, private future_callback {
 public:
  timed_state(future_state<Value>& source_ref, std::optional<result<Value>> instead)
      : captured_(context::capture()), source_(&source_ref), instead_(std::move(instead)) {}

  void arm(steady_time until) noexcept {
    future_state<Value>& source = *source_;
    future_timer made;
    try {
      made = future_timer(until, [held = state_reference(*this)] { held->time_is_up(); });
    } catch (...) {
      if (this->claim()) end_with(std::current_exception(), nullptr);
      source.cancel(cancel_reason::requested);
    }
    future_timer late;
    {
      const std::lock_guard lock(this->lock_);
      late = timer_.keep(std::move(made));
    }
    late.cancel();
    source.call_when_ready(*this);
  }
  void time_is_up() noexcept {
    if (!this->claim()) return;
    future_core* const source = held_source();
    std::shared_ptr<const error_origin> origin;
    result<Value> outcome = instead_ ? std::move(*instead_) : result<Value>(make_timed_out());
    if (!outcome.has_value()) {
      const context::attachment here(captured_);
      origin = failure_here(outcome.error());
    }
    if (source != nullptr) source->cancel(cancel_reason::deadline);
    end_with(std::move(outcome), std::move(origin));
    if (source != nullptr) source->release();
  }

 private:
  void source_ready() noexcept override {
    future_state<Value>* source = nullptr;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(source, source_);
    }
    source->mark_observed();
    if (this->claim()) {
      auto origin = source->take_origin();
      end_with(source->take(), std::move(origin));
    }
    source->release();
    this->release();
  }
  void end_with(result<Value> outcome, std::shared_ptr<const error_origin> origin) noexcept {
    future_timer timer;
    {
      const std::lock_guard lock(this->lock_);
      timer = timer_.end();
    }
    timer.cancel();
    {
      const context::attachment in_root{context()};
      captured_ = {};
      instead_.reset();
    }
    this->origin_ = std::move(origin);
    this->keep(std::move(outcome));
    this->publish();
  }
  future_core* cancel_step(cancel_reason) noexcept override { return held_source(); }
  /// Not for a wait: at the time the outcome comes without it.
  future_core* held_source() noexcept { return this->reference_to(source_); }

  context captured_;             // of whoever asked
  future_state<Value>* source_;  // owned; guarded by lock_; null when it was ready
  std::optional<result<Value>> instead_;
  outcome_timer timer_;  // guarded by lock_
};

template <typename Value>
future<Value> timed(future<Value>&& of, steady_time until, std::optional<result<Value>> instead) {
  auto sticky = future_access::on(of);
  auto* const made =
      new timed_state<Value>(future_access::require(of, "future::timeout"), std::move(instead));
  future_access::hand_over(of);
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

/// Ready when `bound` has passed. No thread waits, nor does the caller; sleep_for does. Cancelled, it is over
/// at once.
template <typename Rep, typename Period>
[[nodiscard]] future<void> sleep(std::chrono::duration<Rep, Period> bound) {
  return detail::sleep_to(deadline_after(bound));
}

/// Runs `work` on the current executor when `bound` has passed, in the caller's context, and gives its
/// outcome.
template <typename Rep, typename Period, typename Work>
auto async_after(std::chrono::duration<Rep, Period> bound, Work&& work,
                 std::source_location from = std::source_location::current()) {
  return sleep(bound).then(std::forward<Work>(work), from);
}

}  // namespace weft::inline v1
