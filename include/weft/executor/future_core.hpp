#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <utility>

#include <weft/context/select_case.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/atomic.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/result.hpp>
#include <weft/core/spin_lock.hpp>
#include <weft/core/unwinding.hpp>

// What a promise and its future share. Users read future.hpp.

namespace weft::inline v1::detail {

class future_core;

/// Somebody who is called once, when an outcome is there; by whoever brought it, or at once.
class future_callback {
 public:
  virtual void source_ready() noexcept = 0;

 protected:
  virtual ~future_callback() = default;

 private:
  friend class future_core;
  friend struct trampoline;
  future_callback* next_ = nullptr;
};

/// Calls them in order. Calls inside of calls go 16 deep on the stack of a task, then they wait for the
/// outermost.
void run_callbacks(future_callback* first) noexcept;
/// The running task is about to wait for `awaited`: it first calls what waits for it in there, as long as
/// the outcome has not come; it may be what brings it.
void run_queued_callbacks(const future_core& awaited) noexcept;

/// Where an error came from, for when nobody looks at it.
struct error_origin;
/// Here and now, in the running task's context. Null where there is no memory.
std::shared_ptr<const error_origin> failure_here(const std::exception_ptr& error) noexcept;
/// Is it the very error that came from there?
bool is_from(const error_origin* origin, const std::exception_ptr& error) noexcept;
/// Another error that came from where `origin` says.
std::shared_ptr<const error_origin> as_origin_of(const std::exception_ptr& error,
                                                 const std::shared_ptr<const error_origin>& origin) noexcept;
/// Hands an error that nobody looked at to who is responsible, once for each origin; `origin` may be null.
void report_unobserved(const std::exception_ptr& error, const error_origin* origin) noexcept;

/// A future that is still to be asked to give up, by whoever asks the one that waits for it.
struct source_to_cancel {
  future_core* target = nullptr;
  future_core* holder = nullptr;  ///< of the memory of this
  source_to_cancel* next = nullptr;
};
/// Those of one cancel(), so that a tree of futures is no recursion.
class sources_to_cancel {
 public:
  /// Keeps target and holder.
  void add(source_to_cancel& one) noexcept;
  /// Asks all, and those that come meanwhile.
  void run(cancel_reason reason) noexcept;

 private:
  source_to_cancel* first_ = nullptr;
};

/// What a promise and its future share, without the value's type.
///
/// Who claims it first writes the outcome and then, under lock_, sets ready_, serves all who wait and takes
/// the callbacks, which he calls when he has left the lock; a reader joins the line, and a callback the list,
/// under lock_ after a last look at ready_, so none is lost. Who has seen ready_ may read the outcome, and
/// one who waited goes on only when lock_ is free: then nobody is in here on behalf of the promise any more,
/// and the promise may end. One reference for the promise, one for the future; the last one ends the outcome,
/// and reports an error that nobody observed.
class future_core {
 public:
  future_core() = default;
  future_core(const future_core&) = delete;
  future_core& operator=(const future_core&) = delete;

  void retain() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool is_ready() const noexcept { return ready_.load(std::memory_order_acquire); }
  /// False: `until` passed. Throws weft::cancelled.
  bool wait_ready(steady_time until);
  /// Somebody looks at the outcome: an error is not uncaught.
  void mark_observed() noexcept { observed_.store(true, std::memory_order_relaxed); }
  /// Calls it once, when the outcome is there; at once if it is. It must live until then.
  void call_when_ready(future_callback& call) noexcept;
  /// Asks the source of the outcome to give up. Never waits. Nothing when the outcome is there.
  void cancel(cancel_reason reason) noexcept;
  /// Throws weft::error (deadlock) where the outcome cannot come before the running task goes on; looks at
  /// all futures that it comes from.
  void refuse_wait(const char* what);

 protected:
  virtual ~future_core() = default;
  /// What cancelling means to it. May hand out a reference to the one it gets its outcome from, which is
  /// asked then: so a long chain is no recursion.
  virtual future_core* cancel_step(cancel_reason) noexcept { return nullptr; }
  /// Adds those it gets its outcome from, where they are several.
  virtual void add_sources(sources_to_cancel&) noexcept {}
  /// refuse_wait for itself, without the one that source() gives.
  virtual void refuse_wait_for_itself(const char*) {}
  /// A reference to the one that its outcome comes from; null where it is not one.
  virtual future_core* source() noexcept { return nullptr; }
  /// A reference to the one that `held` points to, which lock_ guards; null where it points to none.
  template <typename State>
  future_core* reference_to(State* const& held) noexcept {
    const std::lock_guard lock(lock_);
    if (held != nullptr) held->retain();
    return held;
  }
  /// Takes the right to write the outcome; false: it is written already.
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_relaxed); }
  bool is_observed() const noexcept { return observed_.load(std::memory_order_relaxed); }
  /// The outcome is written: wakes who waits and calls who is to be called. With the last reference of
  /// whoever writes still held.
  void publish() noexcept;
  /// For the destructor: hands on an error that nobody looked at, once.
  void report_if_unobserved(const std::exception_ptr& error) const noexcept {
    if (error != nullptr && !is_observed()) report_unobserved(error, origin_.get());
  }

  /// Of the error in the outcome. Written before the outcome is there, then of who takes it.
  std::shared_ptr<const error_origin> origin_;

 private:
  friend class future_case;
  friend class sources_to_cancel;
  atomic<int> refs_{2};
  atomic<bool> claimed_{false};
  atomic<bool> observed_{false};

 protected:
  spin_lock lock_;

 private:
  atomic<bool> ready_{false};             // written under lock_
  waiter_line waiters_;                   // guarded by lock_
  future_callback* callbacks_ = nullptr;  // guarded by lock_; the newest first
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
std::exception_ptr make_broken_promise(std::source_location made_at);
/// The outcome of what was cancelled before it had one.
std::exception_ptr make_stopped(cancel_reason reason);
/// Is it a weft::cancelled?
bool is_stop(const std::exception_ptr& error) noexcept;

template <typename Value>
class future_state : public future_core {
 public:
  bool set(result<Value> outcome) noexcept {
    if (!claim()) return false;
    if (!outcome.has_value()) this->origin_ = failure_here(outcome.error());
    outcome_.emplace(std::move(outcome));
    publish();
    return true;
  }
  /// No outcome will come. Where nobody looks at that either, it is no error of any work.
  void break_promise(std::source_location made_at) noexcept {
    if (!claim()) return;
    mark_observed();
    outcome_.emplace(make_broken_promise(made_at));
    publish();
  }
  /// The outcome, which is there, without its origin: take_origin() comes first. So an error ends where it
  /// was taken, and not where the promise ends.
  result<Value> take() noexcept {
    mark_observed();
    this->origin_.reset();
    return std::move(*outcome_);
  }
  const result<Value>& peek() const noexcept { return *outcome_; }
  std::shared_ptr<const error_origin> take_origin() noexcept { return std::move(this->origin_); }
  std::shared_ptr<const error_origin> origin() const noexcept { return this->origin_; }

 protected:
  ~future_state() override {
    if (outcome_) report_if_unobserved(outcome_->error());
  }
  future_core* cancel_step(cancel_reason reason) noexcept override {
    stop(reason);
    return nullptr;
  }
  /// Ends it as cancelled, where it has no outcome yet.
  bool stop(cancel_reason reason) noexcept {
    if (!claim()) return false;
    outcome_.emplace(make_stopped(reason));
    publish();
    return true;
  }
  /// For who writes the outcome in two steps; publish() is the other one. Once, and then no set().
  void keep(result<Value> outcome) noexcept { outcome_.emplace(std::move(outcome)); }
  const std::optional<result<Value>>& kept() const noexcept { return outcome_; }

 private:
  std::optional<result<Value>> outcome_;
};

}  // namespace weft::inline v1::detail
