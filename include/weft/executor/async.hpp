#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/executor/then.hpp>

namespace weft::inline v1 {

namespace detail {
/// The future of work: of what it returns, where that is a future itself.
template <typename Value>
future<Value> flattened(future<future<Value>> nested) {
  return attach_then_inline(
      combinators(), std::move(nested), [](future<Value> inner) { return inner; },
      std::source_location::current());
}
template <typename Value>
future<Value> flattened(future<Value> plain) {
  return plain;
}
}  // namespace detail

/// Runs `work` on `where`, in the caller's context, and gives its outcome; that of the future it returns,
/// where it returns one. Throws as the executor's post says.
template <std::derived_from<executor> Executor, typename Work>
auto async(const Executor& where, Work&& work, std::source_location from = std::source_location::current()) {
  return detail::flattened(where.submit(std::forward<Work>(work), from));
}
/// The same on the current executor.
template <typename Work>
  requires std::is_invocable_v<std::decay_t<Work>&>
auto async(Work&& work, std::source_location from = std::source_location::current()) {
  return async(current_executor(), std::forward<Work>(work), from);
}

/// A future that has its value.
template <typename Value>
future<std::decay_t<Value>> ready(Value&& value) {
  promise<std::decay_t<Value>> done;
  done.set_value(std::forward<Value>(value));
  return done.get_future();
}
inline future<void> ready() {
  promise<void> done;
  done.set_value();
  return done.get_future();
}

/// A future that has failed.
template <typename Value>
future<Value> failed(std::exception_ptr error) {
  promise<Value> done;
  auto outcome = done.get_future();
  done.set_error(std::move(error));
  return outcome;
}
template <typename Value, typename Error>
future<Value> failed(Error error) {
  return failed<Value>(std::make_exception_ptr(std::move(error)));
}

/// A future of work that was cancelled.
template <typename Value>
future<Value> stopped(cancel_reason reason = cancel_reason::requested) {
  promise<Value> done;
  done.set_stopped(reason);
  return done.get_future();
}

}  // namespace weft::inline v1
