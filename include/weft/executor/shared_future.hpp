#pragma once

#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/executor/then.hpp>

namespace weft::inline v1 {

namespace detail {

/// One reader's copy of a shared outcome. Cancelled, it is over; the source goes on for the others.
template <typename Value>
class copied_state final : public future_state<Value>, private future_callback {
 public:
  explicit copied_state(future_state<Value>& source) noexcept : source_(&source) { source.retain(); }
  void arm() noexcept { source_->call_when_ready(*this); }

 private:
  void source_ready() noexcept override {
    future_state<Value>* from = nullptr;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(from, source_);
    }
    from->mark_observed();
    if (this->claim()) {
      this->origin_ = from->origin();
      try {
        this->keep(from->peek());
      } catch (...) {
        this->keep(std::current_exception());
      }
      this->publish();
    }
    from->release();
    this->release();
  }
  future_core* source() noexcept override { return this->reference_to(source_); }

  future_state<Value>* source_;  // owned; guarded by lock_; null when it was ready
};

}  // namespace detail

/// The outcome of work for several readers: each may wait for it, copy it, or attach functions to it. Copies
/// are handles to the same outcome. Made by future::share.
///
/// Cancelling what was attached leaves the work alone; cancel() ends it for all.
template <typename Value>
class shared_future {
 public:
  using shown_type =
      std::conditional_t<std::is_void_v<Value>, void, std::add_lvalue_reference_t<std::add_const_t<Value>>>;

  shared_future() noexcept = default;
  explicit shared_future(future<Value> of)
      : state_(detail::future_access::take(of, "future::share")),
        on_(std::move(detail::future_access::on(of))) {}
  shared_future(const shared_future& other) noexcept : state_(other.state_), on_(other.on_) {
    if (state_ != nullptr) state_->retain();
  }
  shared_future(shared_future&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)), on_(std::move(other.on_)) {}
  shared_future& operator=(shared_future other) noexcept {
    std::swap(state_, other.state_);
    std::swap(on_, other.on_);
    return *this;
  }
  ~shared_future() {
    if (state_ != nullptr) state_->release();
  }

  bool valid() const noexcept { return state_ != nullptr; }
  bool ready() const noexcept { return state_ != nullptr && state_->is_ready(); }
  void wait() const { require("shared_future::wait").wait_ready(no_deadline); }
  /// Waits; shows the value, while a handle lives, or throws. Any number of times.
  shown_type get() const {
    auto& of = require("shared_future::get");
    of.wait_ready(no_deadline);
    of.mark_observed();
    if constexpr (std::is_void_v<Value>) {
      of.peek().value();
    } else {
      return of.peek().value();
    }
  }
  /// A future of its own, with a copy of the outcome.
  future<Value> fork() const {
    auto* const made = new detail::copied_state<Value>(require("shared_future::fork"));
    made->arm();
    return detail::future_access::make(static_cast<detail::future_state<Value>*>(made), on_);
  }
  /// fork().then(f).
  template <typename F>
  auto then(F&& f, std::source_location from = std::source_location::current()) const {
    return fork().then(std::forward<F>(f), from);
  }
  /// Asks the source to give up, for all readers.
  void cancel(cancel_reason reason = cancel_reason::requested) const noexcept {
    if (state_ != nullptr) state_->cancel(reason);
  }

 private:
  detail::future_state<Value>& require(const char* what) const {
    if (state_ == nullptr) detail::throw_no_state(what);
    return *state_;
  }
  detail::future_state<Value>* state_ = nullptr;
  std::shared_ptr<executor_core> on_ = {};  // of on()
};

template <typename Value>
shared_future<Value> future<Value>::share() {
  return shared_future<Value>(std::move(*this));
}

}  // namespace weft::inline v1
