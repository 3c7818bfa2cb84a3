#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/core/clock.hpp>
#include <weft/core/error.hpp>
#include <weft/core/result.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/executor/future_core.hpp>

// The members that make a future of a future are defined in the headers of their families, as in
// continuation: include <weft/executor/futures.hpp> to use them.

namespace weft::inline v1 {

class executor;
class executor_core;
template <typename Value>
class promise;
template <typename Value>
class shared_future;

/// What a future has come to.
enum class future_status : unsigned char { pending, value, error, cancelled };

namespace detail {
template <typename Value, typename Then>
class on_ready_case;
struct future_access;
/// Finds the families of combinators, where their headers are included.
struct combinators {};
}  // namespace detail

/// The result of work that goes on elsewhere: a value, an error, or that it was cancelled.
///
/// get() suspends a fiber and blocks a plain thread; nothing else here waits. Move-only; one reader. A
/// cancelled wait leaves it as it was. An error comes as the very exception the work ended with; where the
/// work was cancelled, get() throws weft::cancelled. Dropping the future lets the work go on; an error then
/// goes to the uncaught handler, once, in the context of what failed.
///
/// The members from then() on take the future over, as get() does, and give a new one. Their functions run in
/// the context in which they were registered, on the executor of on(), else on the one that was current
/// there; never on the thread that happened to bring the outcome, but for then_inline and what names itself
/// so. They may return a future, whose outcome is then that of the new one. Cancelling the new future cancels
/// what it waits for.
///
/// Where the outcome can only come after the caller has gone on (it waits for itself, or for a task that is
/// queued behind it on an executor that runs one at a time), a wait without a bound throws weft::error
/// (deadlock) that names both.
template <typename Value>
class future {
 public:
  using value_type = Value;

  future() noexcept = default;
  future(future&& other) noexcept : state_(std::exchange(other.state_, nullptr)), on_(std::move(other.on_)) {}
  future& operator=(future&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(on_, other.on_);
    return *this;
  }
  ~future() {
    if (state_ != nullptr) state_->release();
  }

  bool valid() const noexcept { return state_ != nullptr; }
  /// Is the outcome there? Never waits.
  bool ready() const noexcept { return state_ != nullptr && state_->is_ready(); }
  /// What has become of it. Looking does not take the outcome, nor count as taking an error.
  future_status state() const {
    auto& of = require("future::state");
    if (!of.is_ready()) return future_status::pending;
    if (of.peek().has_value()) return future_status::value;
    return detail::is_stop(of.peek().error()) ? future_status::cancelled : future_status::error;
  }
  bool has_error() const { return state() == future_status::error; }
  /// Is the outcome that the work was cancelled?
  bool cancelled() const { return state() == future_status::cancelled; }

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
  /// As get(), but waits at most `bound`; timed_out leaves the future as it was.
  template <typename Rep, typename Period>
  waited<Value> get_for(std::chrono::duration<Rep, Period> bound) {
    if (!wait_for(bound)) return waited<Value>::timed_out();
    return take_waited();
  }
  /// As get_for, without waiting.
  waited<Value> try_get() {
    if (!require("future::try_get").is_ready()) return waited<Value>::timed_out();
    wait();  // only until who brought it has left
    return take_waited();
  }

  /// Asks the source to give up: a task that has not begun does not, one that runs sees it at its next
  /// wait, a promise is told by on_cancel. The outcome comes all the same, and may still be a value. Never
  /// waits.
  void cancel(cancel_reason reason = cancel_reason::requested) noexcept {
    if (state_ != nullptr) state_->cancel(reason);
  }

  /// What is attached from here on, also further down the chain, runs on `where`.
  template <std::derived_from<executor> Executor>
  [[nodiscard]] future on(const Executor& where) {
    on_ = where.core();
    return std::move(*this);
  }

  using from_here = std::source_location;         ///< where a function was attached, for messages
  static constexpr detail::combinators family{};  ///< how its family is found

  /// Calls `f` with the value (or nothing) and gives what it returns. Not called for an error or a
  /// cancellation, which go on to the new future.
  template <typename F>
  auto then(F&& f, from_here from = from_here::current()) {
    return attach_then(family, std::move(*this), std::forward<F>(f), from);
  }
  template <typename F, std::derived_from<executor> Executor>
  auto then(F&& f, const Executor& where, from_here from = from_here::current()) {
    return on(where).then(std::forward<F>(f), from);
  }
  /// The same, run by whoever brings the value, at once; for a few instructions.
  template <typename F>
  auto then_inline(F&& f, from_here from = from_here::current()) {
    return attach_then_inline(family, std::move(*this), std::forward<F>(f), from);
  }
  /// As then, for an `f` that returns a weft::result: its error is that of the new future.
  template <typename F>
  auto and_then(F&& f, from_here from = from_here::current()) {
    return attach_and_then(family, std::move(*this), std::forward<F>(f), from);
  }
  /// Calls `f` with the outcome as a result, whatever it is, and gives what it returns.
  template <typename F>
  auto then_result(F&& f, from_here from = from_here::current()) {
    return attach_then_result(family, std::move(*this), std::forward<F>(f), from);
  }
  /// Calls `f` with a look at the outcome, `const result<Value>&`, and passes the outcome on.
  template <typename F>
  auto tap(F&& f, from_here from = from_here::current()) {
    return attach_tap(family, std::move(*this), std::forward<F>(f), from);
  }
  /// Calls `f` exactly once, whatever the outcome, before those that depend on the new future.
  template <typename F>
  auto ensure(F&& f, from_here from = from_here::current()) {
    return attach_ensure(family, std::move(*this), std::forward<F>(f), from);
  }

  /// Calls `f` with the error, as std::exception_ptr or not at all, and gives what it returns instead. Not
  /// called for a cancellation.
  template <typename F>
  auto or_else(F&& f, from_here from = from_here::current()) {
    return attach_or_else(family, std::move(*this), std::forward<F>(f), from);
  }
  /// The same for errors of type `Error`, which `f` gets as `const Error&`.
  template <typename Error, typename F>
  auto or_else(F&& f, from_here from = from_here::current()) {
    return attach_or_else_of(family, std::type_identity<Error>(), std::move(*this), std::forward<F>(f), from);
  }
  /// Calls `f` if the work was cancelled, with the reason or nothing. It gives a value instead, or returns
  /// nothing, and the cancellation goes on.
  template <typename F>
  auto on_cancelled(F&& f, from_here from = from_here::current()) {
    return attach_on_cancelled(family, std::move(*this), std::forward<F>(f), from);
  }
  /// A std::optional of the value (std::monostate for void), empty if the work was cancelled.
  auto cancelled_as_optional() { return attach_cancelled_as_optional(family, std::move(*this)); }
  /// `error` in place of a cancellation.
  template <typename Error>
  auto cancelled_as_error(Error error) {
    return attach_cancelled_as_error(family, std::move(*this), std::move(error));
  }

  /// The value if `keep` says true of it, else what `otherwise` is, or gives when called.
  template <typename Keep, typename Otherwise>
  auto filter(Keep&& keep, Otherwise&& otherwise, from_here from = from_here::current()) {
    return attach_filter(family, std::move(*this), std::forward<Keep>(keep),
                         std::forward<Otherwise>(otherwise), from);
  }
  /// Without the value.
  auto discard() { return attach_discard(family, std::move(*this)); }
  /// The value as another type.
  template <typename Other>
  auto as() {
    return attach_as(family, std::type_identity<Other>(), std::move(*this));
  }

  /// when_all of both, then `f` with both values.
  template <typename Other, typename F>
  auto zip(future<Other> other, F&& f, from_here from = from_here::current()) {
    return attach_zip(family, std::move(*this), std::move(other), std::forward<F>(f), from);
  }
  /// The outcome of the one that is ready first; the other one is cancelled and awaited.
  auto race(future other) { return attach_race(family, std::move(*this), std::move(other)); }

  /// Fails with deadline_exceeded when `bound` passes first, and cancels the source then.
  template <typename Rep, typename Period>
  auto timeout(std::chrono::duration<Rep, Period> bound) {
    return deadline(deadline_after(bound));
  }
  /// The same at a point of the monotonic clock.
  auto deadline(steady_time until) { return attach_deadline(family, std::move(*this), until); }
  /// Gives `instead` when `bound` passes first, and cancels the source then.
  template <typename Rep, typename Period, typename Instead = typename result<Value>::stored_type>
  auto timeout_or(std::chrono::duration<Rep, Period> bound, Instead instead) {
    return attach_timeout_or(family, std::move(*this), deadline_after(bound), std::move(instead));
  }
  /// The outcome, but not before `bound` has passed from now.
  template <typename Rep, typename Period>
  auto delayed(std::chrono::duration<Rep, Period> bound) {
    return attach_delayed(family, std::move(*this), deadline_after(bound));
  }

  /// For several readers.
  shared_future<Value> share();

 private:
  friend class promise<Value>;
  template <typename, typename>
  friend class detail::on_ready_case;
  friend struct detail::future_access;
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
  waited<Value> take_waited() {
    if constexpr (std::is_void_v<Value>) {
      take().value();
      return waited<Value>(std::monostate());
    } else {
      return waited<Value>(take().value());
    }
  }

  detail::future_state<Value>* state_ = nullptr;
  std::shared_ptr<executor_core> on_ = {};  // of on(); null: the current one
};

namespace detail {

/// What the combinators may do with a future.
struct future_access {
  template <typename Value>
  static future<Value> make(future_state<Value>* state_ref, std::shared_ptr<executor_core> on = {}) noexcept {
    future<Value> made(state_ref);
    made.on_ = std::move(on);
    return made;
  }
  /// Throws weft::error (misuse) for an empty one.
  template <typename Value>
  static future_state<Value>& require(const future<Value>& of, const char* what) {
    return of.require(what);
  }
  /// Its reference is somebody else's now.
  template <typename Value>
  static void hand_over(future<Value>& of) noexcept {
    of.state_ = nullptr;
  }
  /// Takes over its reference; throws weft::error (misuse) for an empty one.
  template <typename Value>
  static future_state<Value>* take(future<Value>& from, const char* what) {
    from.require(what);
    return std::exchange(from.state_, nullptr);
  }
  template <typename Value>
  static std::shared_ptr<executor_core>& on(future<Value>& of) noexcept {
    return of.on_;
  }
};

template <typename Type>
inline constexpr bool is_future = false;
template <typename Value>
inline constexpr bool is_future<future<Value>> = true;

/// Ends what it holds, in the root context.
void end_in_root(unique_function<void(cancel_reason)> told) noexcept;

/// The state of a promise, which can be told of a cancellation.
template <typename Value>
class promise_state final : public future_state<Value> {
 public:
  bool set(result<Value> outcome) noexcept {
    if (!future_state<Value>::set(std::move(outcome))) return false;
    forget_told();
    return true;
  }
  void break_promise(std::source_location made_at) noexcept {
    future_state<Value>::break_promise(made_at);
    forget_told();
  }
  void on_cancel(unique_function<void(cancel_reason)> told) noexcept {
    std::optional<cancel_reason> before;
    {
      const std::lock_guard lock(this->lock_);
      before = reason_;
      if (!before && !this->is_ready()) {
        std::swap(told_, told);
        has_told_.store(true, std::memory_order_relaxed);
      }
    }
    if (before) told(*before);
    end_in_root(std::move(told));
  }
  std::optional<cancel_reason> reason() noexcept {
    const std::lock_guard lock(this->lock_);
    return reason_;
  }

 private:
  future_core* cancel_step(cancel_reason reason) noexcept override {
    unique_function<void(cancel_reason)> told;
    {
      const std::lock_guard lock(this->lock_);
      if (reason_) return nullptr;
      reason_ = reason;
      std::swap(told_, told);
    }
    told ? told(reason) : static_cast<void>(this->stop(reason));
    end_in_root(std::move(told));
    return nullptr;
  }
  /// The outcome is there, so no other one comes. May be what ends the promise.
  void forget_told() noexcept {
    if (!has_told_.load(std::memory_order_relaxed)) return;
    unique_function<void(cancel_reason)> told;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(told_, told);
    }
    end_in_root(std::move(told));
  }

  std::optional<cancel_reason> reason_;             // guarded by lock_
  unique_function<void(cancel_reason)> told_ = {};  // guarded by lock_
  atomic<bool> has_told_{false};                    // written under lock_
};

/// `told` with the context of here and now.
unique_function<void(cancel_reason)> bind_told(unique_function<void(cancel_reason)> told);

}  // namespace detail

/// The other end of a future: says once how the work ended. Dropped before, the future gets
/// broken_promise, which names the place where the promise was made. Move-only; the two ends may be on
/// different threads. It may end as soon as a wait for the outcome has returned it.
template <typename Value>
class promise {
 public:
  using stored_type = typename result<Value>::stored_type;

  promise(std::source_location made_at = std::source_location::current())  // NOLINT: the default constructor
      : state_(new detail::promise_state<Value>), made_at_(made_at) {}
  promise(promise&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        made_at_(other.made_at_),
        future_taken_(other.future_taken_) {}
  promise& operator=(promise&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(made_at_, other.made_at_);
    std::swap(future_taken_, other.future_taken_);
    return *this;
  }
  ~promise() {
    if (state_ == nullptr) return;
    if (!future_taken_) state_->release();  // the future's reference was never handed out
    state_->break_promise(made_at_);
    state_->release();
  }

  /// The future; once.
  future<Value> get_future() {
    if (state_ == nullptr || future_taken_) detail::throw_no_state("promise::get_future");
    future_taken_ = true;
    return future<Value>(state_);
  }

  /// Throws weft::error (misuse) if the outcome was set before; the try forms return false then. No error if
  /// the future was cancelled before: nobody wants it any more.
  void set(result<Value> outcome) {
    if (!try_set(std::move(outcome)) && !is_cancelled()) detail::throw_already_set();
  }
  void set_value(stored_type value) { set(result<Value>(std::move(value))); }
  void set_value()
    requires std::is_void_v<Value>
  {
    set(result<Value>());
  }
  void set_error(std::exception_ptr error) { set(result<Value>(std::move(error))); }
  /// The work was cancelled.
  void set_stopped(cancel_reason reason = cancel_reason::requested) {
    set(result<Value>(detail::make_stopped(reason)));
  }
  /// Sets what `f` returns or throws. Not called if the outcome is not wanted any more.
  template <typename F>
  void set_with(F&& f) {
    if (!is_cancelled()) set(result<Value>::of(std::forward<F>(f)));
  }
  bool try_set(result<Value> outcome) noexcept {
    if (state_ == nullptr) return false;
    detail::promise_state<Value>& of = *state_;
    of.retain();  // what `told` holds may be what ends this promise
    const bool is_first = of.set(std::move(outcome));
    of.release();
    return is_first;
  }
  bool try_set_value(stored_type value) noexcept { return try_set(result<Value>(std::move(value))); }
  bool try_set_value() noexcept
    requires std::is_void_v<Value>
  {
    return try_set(result<Value>());
  }
  bool try_set_error(std::exception_ptr error) noexcept { return try_set(result<Value>(std::move(error))); }
  bool try_set_stopped(cancel_reason reason = cancel_reason::requested) noexcept {
    return try_set(result<Value>(detail::make_stopped(reason)));
  }

  /// `told` is called with the reason when the future is cancelled: once, by whoever cancels it, in the
  /// context of here and now; at once if it was. The promise then has to bring an outcome. Without this a
  /// cancelled future has its outcome at once. `told` must not throw, and own what it touches: it may still
  /// run when the promise has brought its outcome and ended. It ends when the outcome is there. One at a
  /// time.
  template <typename Told>
  void on_cancel(Told&& told) {
    if (state_ == nullptr) detail::throw_no_state("promise::on_cancel");
    state_->on_cancel(detail::bind_told([told = std::forward<Told>(told)](cancel_reason why) mutable {
      if constexpr (std::is_invocable_v<std::decay_t<Told>&, cancel_reason>) {
        told(why);
      } else {
        told();
      }
    }));
  }
  /// Was the future cancelled?
  bool is_cancelled() const noexcept { return cancelled_for().has_value(); }
  /// Why it was; nothing if it was not.
  std::optional<cancel_reason> cancelled_for() const noexcept {
    return state_ != nullptr ? state_->reason() : std::nullopt;
  }

 private:
  detail::promise_state<Value>* state_;
  std::source_location made_at_;
  bool future_taken_ = false;
};

/// Both ends.
template <typename Value>
struct contract_ends {
  weft::promise<Value> promise;
  weft::future<Value> future;
};
template <typename Value>
contract_ends<Value> contract(std::source_location made_at = std::source_location::current()) {
  promise<Value> in(made_at);
  future<Value> out = in.get_future();
  return {std::move(in), std::move(out)};
}

}  // namespace weft::inline v1
