#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/executor/executor.hpp>

// How a function is attached to a future. Users read future.hpp.

namespace weft::inline v1::detail {

template <typename Of>
class posted_part;

/// A function that runs when a future is ready, without its types: how it gets to where it runs.
class continuation : public future_callback {
 protected:
  /// A null `on`: whoever brings the outcome runs it. Captures the context.
  continuation(std::shared_ptr<executor_core> on, std::source_location from);
  ~continuation() override = default;

  /// Runs the function in its context, here or there; then ends it, in the root context.
  void go_on() noexcept;
  /// Ends it without having run, in the root context.
  void skip() noexcept;

  virtual void run_part() noexcept = 0;
  /// The context was left. Also of one that was dropped, and did not run. May end this.
  virtual void finish_step() noexcept = 0;

  submission task_;
  context captured_;
  std::exception_ptr refused_;  // why the executor did not take it

 private:
  friend class posted_part<continuation>;
  void end_one() noexcept;
  std::atomic<int> open_ends_{2};  // the posted function, and who posts it
};

/// The future that a step makes of another one.
///
/// `Step` is called with the outcome of the source where applies() says so, and gives a result<Out> or a
/// future<Out>; else pass() makes the outcome, at once. One reference is its own until the outcome is there.
///
/// source_ and inner_ are guarded by lock_: who cancels finds the future that this one waits for.
template <typename In, typename Out, typename Step>
class continuation_state final : public future_state<Out>, private continuation {
 public:
  continuation_state(future_state<In>* source_ref, Step step, std::shared_ptr<executor_core> on,
                     std::source_location from)
      : continuation(std::move(on), from), source_(source_ref), step_(std::move(step)) {
    if constexpr (Step::runs_always) again_ = captured_;
  }
  void arm() noexcept { source_->call_when_ready(*this); }

 private:
  using given = std::invoke_result_t<Step&, result<In>&&>;

  void source_ready() noexcept override {
    if (inner_ != nullptr) return inner_ready();
    future_state<In>* source = nullptr;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(source, source_);
    }
    this->origin_ = source->take_origin();
    input_.emplace(source->take());
    source->release();
    if (step_->applies(*input_) && (Step::runs_always || Step::runs_stopped || !task_.stopped())) {
      return go_on();
    }
    if (step_->applies(*input_)) {
      this->keep(make_stopped(*task_.stopped()));
    } else {
      this->keep(step_->pass(std::move(*input_)));
    }
    skip();
  }

  void run_part() noexcept override {
    if (!task_.begin() && !Step::runs_always && !Step::runs_stopped) {
      this->keep(make_stopped(*task_.stopped()));
    } else {
      call();
    }
    task_.end();
  }
  void call() noexcept {
    try {
      given outcome = (*step_)(std::move(*input_));
      if constexpr (is_future<given>) {
        next_ = future_access::take(outcome, "a continuation that returned an empty future");
      } else {
        if (!outcome.has_value()) failed_with(outcome.error());
        this->keep(std::move(outcome));
      }
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      failed_with(error);
      this->keep(error);
    }
  }

  /// What a step only passes on failed where it did at first.
  void failed_with(const std::exception_ptr& error) noexcept {
    if (!is_from(this->origin_.get(), error)) this->origin_ = task_.failed_here(error);
  }

  void finish_step() noexcept override {
    if constexpr (Step::runs_always) {
      if (!this->kept() && next_ == nullptr) {  // it was dropped
        const context::attachment here(std::move(again_));
        call();
      }
      again_ = {};
    }
    step_.reset();
    input_.reset();
    if (next_ != nullptr) {
      future_state<Out>* const next = next_;
      {
        const std::lock_guard lock(this->lock_);
        inner_ = next;
      }
      if (const auto reason = task_.stopped()) next->cancel(*reason);
      return next->call_when_ready(*this);
    }
    if (!this->kept()) this->keep(refused_ != nullptr ? refused_ : make_dropped());
    conclude();
  }
  void inner_ready() noexcept {
    future_state<Out>* inner = nullptr;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(inner, inner_);
    }
    auto origin = inner->take_origin();
    this->keep(inner->take());
    if (!is_from(this->origin_.get(), this->kept()->error())) this->origin_ = std::move(origin);
    inner->release();
    conclude();
  }
  void conclude() noexcept {
    this->publish();
    this->release();
  }

  future_core* cancel_step(cancel_reason reason) noexcept override {
    task_.stop(reason);
    return source();
  }
  future_core* source() noexcept override {
    const std::lock_guard lock(this->lock_);
    future_core* const from = inner_ != nullptr ? static_cast<future_core*>(inner_) : source_;
    if (from != nullptr) from->retain();
    return from;
  }
  void refuse_wait_for_itself(const char* what) override { task_.refuse_wait_by_itself(what); }

  future_state<In>* source_;            // owned; guarded by lock_
  future_state<Out>* inner_ = nullptr;  // owned; guarded by lock_
  future_state<Out>* next_ = nullptr;   // of whoever runs the step
  std::optional<Step> step_;
  std::optional<result<In>> input_;
  context again_;  // of a step that runs always
};

/// What a step is by default.
struct plain_step {
  static constexpr bool runs_always = false;   ///< also where the executor drops it
  static constexpr bool runs_stopped = false;  ///< also where the new future was cancelled
};

/// The executor that what is attached to `of` runs on.
template <typename Value>
std::shared_ptr<executor_core> executor_for(future<Value>& of) {
  auto& chosen = future_access::on(of);
  return chosen != nullptr ? chosen : current_executor().core();
}

template <typename Out, typename In, typename Step>
future<Out> attach_step(future<In>&& to, Step step, std::shared_ptr<executor_core> on,
                        std::source_location from) {
  auto sticky = future_access::on(to);
  auto& source = future_access::require(to, "a continuation");
  auto* const made = new continuation_state<In, Out, Step>(&source, std::move(step), std::move(on), from);
  future_access::hand_over(to);
  made->arm();
  return future_access::make(static_cast<future_state<Out>*>(made), std::move(sticky));
}

/// What a function that gives `Raw` makes the future's value.
template <typename Raw>
struct unnested {
  using type = Raw;
  using given = result<Raw>;
};
template <typename Value>
struct unnested<future<Value>> {
  using type = Value;
  using given = future<Value>;
};

/// Calls `f` and gives what a step gives: a result, or the future that `f` returned.
template <typename F, typename... Args>
auto call_for_step(F& f, Args&&... args) -> typename unnested<std::invoke_result_t<F&, Args...>>::given {
  using raw = std::invoke_result_t<F&, Args...>;
  if constexpr (std::is_void_v<raw>) {
    std::invoke(f, std::forward<Args>(args)...);
    return result<void>();
  } else if constexpr (is_future<raw>) {
    return std::invoke(f, std::forward<Args>(args)...);
  } else {
    return result<raw>(std::invoke(f, std::forward<Args>(args)...));
  }
}

/// Calls `f` with the value, or without where there is none or `f` takes nothing.
template <typename In, typename F>
decltype(auto) call_with_value(F& f, result<In>&& in) {
  if constexpr (std::is_void_v<In>) {
    return call_for_step(f);
  } else if constexpr (std::is_invocable_v<F&, In>) {
    return call_for_step(f, std::move(in).value());
  } else {
    static_assert(std::is_invocable_v<F&>,
                  "the function given to a future takes the future's value, or nothing");
    return call_for_step(f);
  }
}
template <typename Given>
struct given_value;
template <typename Value>
struct given_value<result<Value>> {
  using type = Value;
};
template <typename Value>
struct given_value<future<Value>> {
  using type = Value;
};
template <typename Step, typename In>
using step_value = typename given_value<std::invoke_result_t<Step&, result<In>&&>>::type;

}  // namespace weft::inline v1::detail
