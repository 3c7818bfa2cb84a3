#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/context/select_case.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/result.hpp>

namespace weft {

namespace detail {

template <typename Value, typename Then>
class on_ready_case;
template <typename Result, typename Work>
class submitted_work;

/// What a promise and its future share, without the value's type.
///
/// Who claims it first writes the outcome and then, under lock_, sets ready_ and serves all who wait; a
/// reader joins the line under lock_ after a last look at ready_, so none is lost. Who has seen ready_ may
/// read the outcome, and one who waited goes on only when lock_ is free: then nobody is in here on behalf of
/// the promise any more, and the promise may end. One reference for the promise, one for the future; the
/// last one ends the outcome, and reports an error that nobody observed.
class future_core {
 public:
  future_core() = default;
  future_core(const future_core&) = delete;
  future_core& operator=(const future_core&) = delete;

  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool is_ready() const noexcept { return ready_.load(std::memory_order_acquire); }
  /// False: `until` passed. Throws weft::cancelled.
  bool wait_ready(steady_time until);
  /// Somebody looks at the outcome: an error is not uncaught.
  void mark_observed() noexcept { observed_.store(true, std::memory_order_relaxed); }

 protected:
  virtual ~future_core() = default;
  /// Throws weft::error (misuse) where the outcome cannot come before the running task goes on.
  virtual void refuse_wait_for_itself(const char*) const {}
  /// Takes the right to write the outcome; false: it is written already.
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }
  bool is_observed() const noexcept { return observed_.load(std::memory_order_relaxed); }
  /// The outcome is written: wakes who waits.
  void publish() noexcept;
  /// For the destructor: hands an error that nobody looked at to the log, once.
  void report_if_unobserved(const std::exception_ptr& error) const noexcept;

 private:
  friend class future_case;
  atomic<int> refs_{2};
  atomic<bool> claimed_{false};
  atomic<bool> observed_{false};
  spin_lock lock_;
  atomic<bool> ready_{false};  // written under lock_
  waiter_line waiters_;        // guarded by lock_
};

/// Being ready, as a case of a select.
class future_case : public select_case {
 public:
  bool seems_ready() const noexcept final { return core_->is_ready(); }
  bool try_now() noexcept final { return core_->is_ready(); }

 protected:
  explicit future_case(future_core& core) noexcept : select_case(&core.lock_, &core.waiters_), core_(&core) {}
  future_case(future_case&&) noexcept = default;
  ~future_case() override = default;
  bool is_of(const future_core* core) const noexcept { return core_ == core; }

 private:
  future_core* core_;
};

[[noreturn]] void throw_no_state(const char* what);
[[noreturn]] void throw_already_set();
std::exception_ptr make_broken_promise();

template <typename Value>
class future_state : public future_core {
 public:
  bool set(result<Value> outcome) noexcept {
    if (!claim()) return false;
    outcome_.emplace(std::move(outcome));
    publish();
    return true;
  }
  /// No outcome will come. Where nobody looks at that either, it is no error of any work.
  void break_promise() noexcept {
    if (!claim()) return;
    mark_observed();
    outcome_.emplace(make_broken_promise());
    publish();
  }
  result<Value> take() noexcept {
    mark_observed();
    return std::move(*outcome_);
  }

 protected:
  ~future_state() override {
    if (outcome_) report_if_unobserved(outcome_->error());
  }
  /// For who writes the outcome in two steps; publish() is the other one. Once, and then no set().
  void keep(result<Value> outcome) noexcept { outcome_.emplace(std::move(outcome)); }
  const std::optional<result<Value>>& kept() const noexcept { return outcome_; }
  /// The error that nobody looked at; null without one. For destructors.
  std::exception_ptr unobserved_error() const noexcept {
    return outcome_ && !is_observed() ? outcome_->error() : nullptr;
  }

 private:
  std::optional<result<Value>> outcome_;
};

}  // namespace detail

template <typename Value>
class promise;

/// The result of work that goes on elsewhere.
///
/// get() suspends a fiber and blocks a plain thread. Move-only; one reader. A cancelled wait leaves
/// it as it was. An error comes as the very exception the work ended with. Dropping the future lets
/// the work go on; an error then goes to the uncaught handler, else to the log as critical.
///
/// Where the outcome can only come after the caller has gone on (it waits for itself, or for a task that is
/// queued behind it on an executor that runs one at a time), a wait without a bound throws weft::error
/// (deadlock) that names both.
template <typename Value>
class future {
 public:
  future() noexcept = default;
  future(future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  future& operator=(future&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~future() {
    if (state_ != nullptr) state_->release();
  }

  bool valid() const noexcept { return state_ != nullptr; }
  /// Is the outcome there? Never waits.
  bool ready() const noexcept { return state_ != nullptr && state_->is_ready(); }
  /// Waits for the outcome without taking it.
  void wait() const { require("future::wait").wait_ready(no_deadline); }
  /// False when the bound passed first.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) const {
    return wait_until(deadline_after(bound));
  }
  bool wait_until(steady_time until) const { return require("future::wait_until").wait_ready(until); }

  /// Waits; gives the value or throws. The future is empty then.
  Value get() {
    require("future::get").wait_ready(no_deadline);
    return take().value();
  }
  /// Waits; gives value or error as a result. The future is empty then.
  result<Value> get_result() {
    require("future::get_result").wait_ready(no_deadline);
    return take();
  }

 private:
  friend class promise<Value>;
  template <typename, typename>
  friend class detail::on_ready_case;
  template <typename Result, typename Work>
  friend class detail::submitted_work;
  explicit future(detail::future_state<Value>* state_ref) noexcept : state_(state_ref) {}
  detail::future_state<Value>& require(const char* what) const {
    if (state_ == nullptr) detail::throw_no_state(what);
    return *state_;
  }
  result<Value> take() noexcept {
    auto* const over = std::exchange(state_, nullptr);
    result<Value> outcome = over->take();
    over->release();
    return outcome;
  }

  detail::future_state<Value>* state_ = nullptr;
};

/// The other end of a future: says once how the work ended. Dropped before, the future gets
/// broken_promise. Move-only; the two ends may be on different threads. It may end as soon as a wait for
/// the outcome has returned it.
template <typename Value>
class promise {
 public:
  using stored_type = typename result<Value>::stored_type;

  promise() : state_(new detail::future_state<Value>) {}
  promise(promise&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), future_taken_(other.future_taken_) {}
  promise& operator=(promise&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(future_taken_, other.future_taken_);
    return *this;
  }
  ~promise() {
    if (state_ == nullptr) return;
    if (!future_taken_) state_->release();  // the future's reference was never handed out
    state_->break_promise();
    state_->release();
  }

  /// The future; once.
  future<Value> get_future() {
    if (state_ == nullptr || future_taken_) detail::throw_no_state("promise::get_future");
    future_taken_ = true;
    return future<Value>(state_);
  }

  /// Throws weft::error (misuse) if the outcome was set before; the try forms return false then.
  void set(result<Value> outcome) {
    if (!try_set(std::move(outcome))) detail::throw_already_set();
  }
  void set_value(stored_type value) { set(result<Value>(std::move(value))); }
  void set_value()
    requires std::is_void_v<Value>
  {
    set(result<Value>());
  }
  void set_error(std::exception_ptr error) { set(result<Value>(std::move(error))); }
  bool try_set(result<Value> outcome) noexcept {
    return state_ != nullptr && state_->set(std::move(outcome));
  }

 private:
  detail::future_state<Value>* state_;
  bool future_taken_ = false;
};

}  // namespace weft
