#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/executor/continuation.hpp>

// The family of then: what comes after a value, or after any outcome.

namespace weft::inline v1::detail {

/// Runs where there is a value; the rest goes by.
template <typename Out>
struct value_step : plain_step {
  template <typename In>
  bool applies(const result<In>& in) const noexcept {
    return in.has_value();
  }
  template <typename In>
  result<Out> pass(result<In>&& in) const noexcept {
    return in.error();
  }
};

template <typename In, typename F>
struct then_step : value_step<typename given_value<decltype(call_with_value<In>(
                       std::declval<F&>(), std::declval<result<In>>()))>::type> {
  F f;
  explicit then_step(F held) : f(std::move(held)) {}
  auto operator()(result<In>&& in) { return call_with_value<In>(f, std::move(in)); }
};

/// `f` returns a result.
template <typename In, typename F>
struct and_then_step : value_step<typename decltype(call_with_value<In>(
                           std::declval<F&>(), std::declval<result<In>>()))::value_type::value_type> {
  F f;
  explicit and_then_step(F held) : f(std::move(held)) {}
  auto operator()(result<In>&& in) { return call_with_value<In>(f, std::move(in)).value(); }
};

/// Runs whatever the outcome is.
struct any_step : plain_step {
  static constexpr bool runs_stopped = true;
  template <typename In>
  bool applies(const result<In>&) const noexcept {
    return true;
  }
};

template <typename In, typename F>
struct then_result_step : any_step {
  using given = typename unnested<std::invoke_result_t<F&, result<In>>>::given;
  F f;
  explicit then_result_step(F held) : f(std::move(held)) {}
  given operator()(result<In>&& in) { return call_for_step(f, std::move(in)); }
  result<typename given_value<given>::type> pass(result<In>&& in) const noexcept { return in.error(); }
};

/// Looks on; `f` takes the result, or nothing. What it throws counts where there was a value.
template <typename In, typename F, bool Always>
struct tap_step : any_step {
  static constexpr bool runs_always = Always;
  F f;
  explicit tap_step(F held) : f(std::move(held)) {}
  result<In> operator()(result<In>&& in) {
    try {
      if constexpr (std::is_invocable_v<F&, const result<In>&>) {
        static_assert(!is_future<std::invoke_result_t<F&, const result<In>&>>,
                      "nobody would wait for its future");
        std::invoke(f, std::as_const(in));
      } else {
        static_assert(std::is_invocable_v<F&>, "the function takes a const result<Value>&, or nothing");
        static_assert(!is_future<std::invoke_result_t<F&>>, "nobody would wait for its future");
        std::invoke(f);
      }
    } catch (...) {
      if (in.has_value()) throw;
    }
    return std::move(in);
  }
  result<In> pass(result<In>&& in) const noexcept { return std::move(in); }
};

template <template <typename, typename> class Step, typename In, typename F>
auto attach_made(future<In>&& to, F&& f, std::shared_ptr<executor_core> on, std::source_location from) {
  using step = Step<In, std::decay_t<F>>;
  return attach_step<step_value<step, In>>(std::move(to), step(std::forward<F>(f)), std::move(on), from);
}

template <typename In, typename F>
auto attach_then(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<then_step>(std::move(to), std::forward<F>(f), executor_for(to), from);
}
template <typename In, typename F>
auto attach_then_inline(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<then_step>(std::move(to), std::forward<F>(f), nullptr, from);
}
template <typename In, typename F>
auto attach_and_then(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<and_then_step>(std::move(to), std::forward<F>(f), executor_for(to), from);
}
template <typename In, typename F>
auto attach_then_result(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<then_result_step>(std::move(to), std::forward<F>(f), executor_for(to), from);
}
/// For combinators: on whoever brings it.
template <typename In, typename F>
auto attach_result_inline(future<In>&& to, F&& f) {
  return attach_made<then_result_step>(std::move(to), std::forward<F>(f), nullptr,
                                       std::source_location::current());
}
template <typename In, typename F>
auto attach_tap(combinators, future<In>&& to, F&& f, std::source_location from) {
  using step = tap_step<In, std::decay_t<F>, false>;
  return attach_step<In>(std::move(to), step(std::forward<F>(f)), executor_for(to), from);
}
template <typename In, typename F>
auto attach_ensure(combinators, future<In>&& to, F&& f, std::source_location from) {
  static_assert(std::is_invocable_v<std::decay_t<F>&>, "the function of ensure takes nothing");
  using step = tap_step<In, std::decay_t<F>, true>;
  return attach_step<In>(std::move(to), step(std::forward<F>(f)), executor_for(to), from);
}

template <typename In>
auto attach_discard(combinators tag, future<In>&& to) {
  return attach_then_inline(
      tag, std::move(to), [] {}, std::source_location::current());
}
template <typename Other, typename In>
auto attach_as(combinators tag, std::type_identity<Other>, future<In>&& to) {
  if constexpr (std::is_void_v<Other>) {
    return attach_discard(tag, std::move(to));
  } else {
    return attach_then_inline(
        tag, std::move(to), [](In value) -> Other { return static_cast<Other>(std::move(value)); },
        std::source_location::current());
  }
}

template <typename In, typename Keep, typename Otherwise>
auto attach_filter(combinators tag, future<In>&& to, Keep&& keep, Otherwise&& otherwise,
                   std::source_location from) {
  return attach_then(
      tag, std::move(to),
      [keep = std::forward<Keep>(keep),
       otherwise = std::forward<Otherwise>(otherwise)](In value) mutable -> In {
        if (std::invoke(keep, std::as_const(value))) return value;
        if constexpr (std::is_invocable_v<std::decay_t<Otherwise>&>) {
          return std::invoke(otherwise);
        } else {
          return std::move(otherwise);
        }
      },
      from);
}

}  // namespace weft::inline v1::detail
