#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/executor/future.hpp>

// Futures of interfaces with callbacks.

namespace weft::inline v1 {

/// What a callback is given that ends a future of from_callback: call it once with a value, a result or a
/// std::exception_ptr; with nothing for void. Later calls have no effect. Copies are the same.
template <typename Value>
class resolver {
 public:
  explicit resolver(promise<Value> of) : of_(std::make_shared<promise<Value>>(std::move(of))) {}

  /// True for the call that ended it.
  bool operator()(result<Value> outcome) const noexcept { return of_->try_set(std::move(outcome)); }
  bool operator()() const noexcept
    requires std::is_void_v<Value>
  {
    return of_->try_set(result<void>());
  }
  /// `told` is called when the future is cancelled, with this resolver, or with it and the reason; see
  /// promise::on_cancel. It must not hold a resolver itself: the future would wait for that for ever.
  template <typename Told>
  void on_cancel(Told&& told) const {
    of_->on_cancel([of = std::weak_ptr(of_), told = std::forward<Told>(told)](cancel_reason why) mutable {
      const auto still_there = of.lock();
      if (still_there == nullptr) return;  // being dropped: that is the outcome
      const resolver self(still_there);
      if constexpr (std::is_invocable_v<std::decay_t<Told>&, const resolver&, cancel_reason>) {
        told(self, why);
      } else {
        static_assert(std::is_invocable_v<std::decay_t<Told>&, const resolver&>,
                      "the function takes the resolver, or the resolver and a weft::cancel_reason");
        told(self);
      }
    });
  }

 private:
  explicit resolver(std::shared_ptr<promise<Value>> of) noexcept : of_(std::move(of)) {}

  std::shared_ptr<promise<Value>> of_;
};

/// The future of an interface with callbacks: calls `start` here and now with a resolver to be called back.
/// Where all copies of that are dropped the future is broken_promise; what `start` throws is its error.
template <typename Value, typename Start>
future<Value> from_callback(Start&& start, std::source_location made_at = std::source_location::current()) {
  promise<Value> in(made_at);
  auto out = in.get_future();
  const resolver<Value> end(std::move(in));
  try {
    std::invoke(std::forward<Start>(start), end);
  } catch (...) {
    end(std::current_exception());
  }
  return out;
}

}  // namespace weft::inline v1
