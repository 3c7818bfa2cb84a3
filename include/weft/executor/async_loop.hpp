#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <weft/context/context.hpp>
#include <weft/executor/async.hpp>

// Loops of futures. Users read retry.hpp and repeat.hpp.

namespace weft::inline v1::detail {

/// Rounds of work until one gives a value: `Body` gives a future of a std::optional, empty for another round.
///
/// The body only starts work: it is called in the context in which the loop was started, by whoever ended the
/// round before. One reference is its own until the outcome is there.
template <typename Value, typename Body>
class loop_state final : public future_state<Value>, private future_callback {
 public:
  using stored = typename result<Value>::stored_type;
  explicit loop_state(Body body) : captured_(context::capture()), body_(std::in_place, std::move(body)) {}

  void next_round() noexcept {
    future_state<std::optional<stored>>* const round = start_round();
    if (round == nullptr) return;
    std::optional<cancel_reason> reason;
    {
      const std::lock_guard lock(this->lock_);
      round_ = round;
      reason = stopped_;
    }
    if (reason) round->cancel(*reason);
    round->call_when_ready(*this);
  }

 private:
  /// Null: it could not be, and the loop has ended.
  future_state<std::optional<stored>>* start_round() noexcept {
    std::exception_ptr error;
    {
      const context::attachment here(captured_);
      try {
        future<std::optional<stored>> started = (*body_)();
        return future_access::take(started, "a loop of futures");
      } catch (...) {
        error = std::current_exception();
        this->origin_ = failure_here(error);
      }
    }
    end(std::move(error));
    return nullptr;
  }
  void source_ready() noexcept override {
    future_state<std::optional<stored>>* round = nullptr;
    std::optional<cancel_reason> reason;
    {
      const std::lock_guard lock(this->lock_);
      std::swap(round, round_);
      reason = stopped_;
    }
    auto origin = round->take_origin();
    auto outcome = round->take();
    round->release();
    if (!outcome.has_value()) {
      this->origin_ = std::move(origin);
      return end(outcome.error());
    }
    std::optional<stored> value = std::move(outcome).value();
    if (value) return end(std::move(*value));
    if (reason) return end(make_stopped(*reason));
    next_round();
  }
  template <typename Outcome>
  void end(Outcome outcome) noexcept {
    {
      const context::attachment in_root{context()};
      body_.reset();
      captured_ = {};
    }
    if constexpr (std::is_void_v<Value> && !std::is_same_v<Outcome, std::exception_ptr>) {
      this->keep(result<void>());
    } else {
      this->keep(std::move(outcome));
    }
    this->publish();
    this->release();
  }
  future_core* cancel_step(cancel_reason reason) noexcept override {
    {
      const std::lock_guard lock(this->lock_);
      if (!stopped_) stopped_ = reason;
    }
    return source();
  }
  future_core* source() noexcept override { return this->reference_to(round_); }

  context captured_;
  std::optional<Body> body_;
  future_state<std::optional<stored>>* round_ = nullptr;  // owned; guarded by lock_
  std::optional<cancel_reason> stopped_;                  // guarded by lock_
};

template <typename Value, typename Body>
future<Value> run_loop(Body body) {
  auto* const made = new loop_state<Value, Body>(std::move(body));
  auto outcome = future_access::make(static_cast<future_state<Value>*>(made));
  made->next_round();
  return outcome;
}

/// `outcome`, where there is a value, as what ends a loop.
template <typename Value>
std::optional<typename result<Value>::stored_type> loop_value(result<Value> outcome) {
  if constexpr (std::is_void_v<Value>) {
    std::move(outcome).value();
    return std::monostate();
  } else {
    return std::move(outcome).value();
  }
}

}  // namespace weft::inline v1::detail
