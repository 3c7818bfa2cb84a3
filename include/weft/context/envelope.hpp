#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <weft/context/context.hpp>

namespace weft::inline v1 {

/// A value with the context of whoever sent it. For channels, which carry no context: who receives a plain
/// value goes on in his own, because he works for himself and the sender's request may long be over.
///
///     weft::channel<weft::envelope<order>> orders(16);
///     orders.push(weft::envelope{next});
///     ...
///     auto sent = orders.pop();
///     sent->run([](order& one) { ship(one); });
///
/// It keeps what the sender would pass on to a fiber there: values, deadline and cancellation. As
/// thread-safe, as copyable and as cheap to move as its value.
template <typename Value>
class envelope {
 public:
  /// The value, with the context of here and now.
  explicit envelope(Value value) noexcept(std::is_nothrow_move_constructible_v<Value>)
      : value_(std::move(value)), sent_in_(weft::context::capture()) {}

  Value& value() & noexcept { return value_; }
  const Value& value() const& noexcept { return value_; }
  Value&& value() && noexcept { return std::move(value_); }
  Value& operator*() noexcept { return value_; }
  const Value& operator*() const noexcept { return value_; }
  Value* operator->() noexcept { return &value_; }
  const Value* operator->() const noexcept { return &value_; }

  /// The sender's: to read a value of it, to run in it, to link a span to it.
  const weft::context& context() const noexcept { return sent_in_; }

  /// Runs `work` in the sender's context, with the value or with nothing. It ends at the sender's deadline,
  /// and with his cancellation.
  template <typename Work>
  decltype(auto) run(Work&& work) {
    return sent_in_.run([&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<Work, Value&>) {
        return std::invoke(std::forward<Work>(work), value_);
      } else {
        return std::invoke(std::forward<Work>(work));
      }
    });
  }

 private:
  Value value_;
  weft::context sent_in_;
};

}  // namespace weft::inline v1
