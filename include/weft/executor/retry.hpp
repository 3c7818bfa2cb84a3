#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <weft/executor/async_loop.hpp>
#include <weft/executor/timing.hpp>

namespace weft::inline v1 {

/// How often, and how long after a failure, something is tried again: first, first * base, first * base^2
/// ..., at most `longest`, and a random part of up to `jitter` of it on top.
struct retry_policy {
  std::size_t attempts_max = 3;
  std::chrono::microseconds first = std::chrono::milliseconds(100);
  double base = 2;
  std::chrono::microseconds longest = std::chrono::seconds(30);
  double jitter = 0.2;  ///< 0 to 1
  /// Is another attempt of any use after that error? Empty: by its code (is_retryable) for a weft::error,
  /// else yes.
  std::function<bool(const std::exception_ptr&)> retry_if = {};

  /// The wait after the `failed`-th failure; `random` is 0 to 1.
  std::chrono::microseconds wait_after(std::size_t failed, double random = 0) const;
};

/// Which attempt it is, for a function that wants to know.
class retry_attempt {
 public:
  retry_attempt(std::size_t number, std::exception_ptr last) : number_(number), last_(std::move(last)) {}
  /// From 1 on.
  std::size_t number() const noexcept { return number_; }
  /// What the attempt before ended with; null for the first.
  const std::exception_ptr& last_error() const noexcept { return last_; }

 private:
  std::size_t number_;
  std::exception_ptr last_;
};

namespace detail {

/// What is known between two attempts.
class retry_progress {
 public:
  explicit retry_progress(retry_policy policy);
  /// An attempt failed: notes it, and true if there will be another, which is due at due(). Never after a
  /// cancellation, nor where the deadline of the context passes before.
  bool goes_on_after(const std::exception_ptr& error);
  steady_time due() const noexcept { return due_; }
  retry_attempt next() const { return {failed_ + 1, last_}; }

 private:
  const retry_policy policy_;
  std::size_t failed_ = 0;
  std::exception_ptr last_;
  steady_time due_ = {};
};

template <typename F>
decltype(auto) call_attempt(F& f, const retry_attempt& which) {
  if constexpr (std::is_invocable_v<F&, const retry_attempt&>) {
    return std::invoke(f, which);
  } else {
    return std::invoke(f);
  }
}

}  // namespace detail

/// Calls `f`, which may take a `const retry_attempt&` and may return a future, on the current executor until
/// it gives a value, as the policy says. Fails with the last error, as it was thrown. A cancellation is not
/// tried again, and no attempt begins after the deadline of the caller. No thread waits between attempts.
template <typename F>
auto retry(retry_policy policy, F&& f, std::source_location from = std::source_location::current()) {
  using held = std::decay_t<F>;
  using value = typename detail::unnested<decltype(detail::call_attempt(
      std::declval<held&>(), std::declval<const retry_attempt&>()))>::type;
  using stored = typename result<value>::stored_type;
  struct shared_work {
    detail::retry_progress progress;
    held f;
  };
  auto work = std::make_shared<shared_work>(
      shared_work{detail::retry_progress(std::move(policy)), std::forward<F>(f)});
  return detail::run_loop<value>([work, on = current_executor(), from]() -> future<std::optional<stored>> {
    const auto attempt = [work] { return detail::call_attempt(work->f, work->progress.next()); };
    future<value> tried = work->progress.due() == steady_time{}
                              ? async(on, attempt, from)
                              : detail::sleep_to(work->progress.due()).on(on).then(attempt, from);
    return detail::attach_result_inline(std::move(tried), [work](result<value> outcome) {
      if (!outcome.has_value() && work->progress.goes_on_after(outcome.error())) {
        return std::optional<stored>();
      }
      return detail::loop_value<value>(std::move(outcome));
    });
  });
}

}  // namespace weft::inline v1
