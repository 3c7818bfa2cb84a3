#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/context/wait.hpp>
#include <weft/core/result.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/executor/future.hpp>

namespace weft {

namespace detail {
/// Runs `work` on a thread of the elastic pool, in the caller's context. Never waits.
void post_blocking(unique_function<void()> work);

/// Waits for the outcome whatever cancels the caller.
template <typename Value>
Value get_unbroken(future<Value>& from) {
  return shield([&from]() -> Value { return from.get(); });
}
}  // namespace detail

/// Runs a function that may block on a thread of its own, and waits for its result: the fiber waits,
/// its thread goes on. Threads are made when none is idle, at most 256, and end after 5 s without work.
///
/// The wait cannot be cut short: the function may refer to the caller's frame. A cancelled caller
/// sees it at its next wait; the function sees it at once, through weft::checkpoint().
template <typename Work>
auto blocking(Work&& work) -> std::invoke_result_t<Work&> {
  using value = std::invoke_result_t<Work&>;
  detail::require_wait_allowed("blocking");  // not after the work has started: it refers to this frame
  promise<value> outcome;
  auto waiting = outcome.get_future();
  detail::post_blocking([&work, outcome = std::move(outcome)]() mutable {
    outcome.set(result<value>::of([&work]() -> value { return std::invoke(work); }));
  });
  return detail::get_unbroken(waiting);
}

}  // namespace weft
