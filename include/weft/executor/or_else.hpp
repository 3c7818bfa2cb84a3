#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include <weft/core/holds_exception.hpp>
#include <weft/executor/then.hpp>

// The family of or_else: what comes instead of an error, or of a cancellation.

namespace weft::inline v1::detail {

template <typename In, typename F>
struct or_else_step : any_step {
  F f;
  explicit or_else_step(F held) : f(std::move(held)) {}
  bool applies(const result<In>& in) const noexcept { return !in.has_value() && !is_stop(in.error()); }
  auto operator()(result<In>&& in) {
    if constexpr (std::is_invocable_v<F&, std::exception_ptr>) {
      return as_of<In>([&]() -> decltype(auto) { return std::invoke(f, in.error()); });
    } else {
      static_assert(std::is_invocable_v<F&>,
                    "the function of or_else takes a std::exception_ptr, or nothing");
      return as_of<In>([&]() -> decltype(auto) { return std::invoke(f); });
    }
  }
  result<In> pass(result<In>&& in) const noexcept { return std::move(in); }

  /// What `call` gives, as a result or future of `Value`.
  template <typename Value, typename Call>
  static auto as_of(Call&& call) {
    using raw = std::invoke_result_t<Call&>;
    if constexpr (is_future<raw>) {
      static_assert(std::is_same_v<raw, future<Value>>, "the future instead is one of the same type");
      return call();
    } else if constexpr (std::is_void_v<Value>) {
      call();
      return result<void>();
    } else {
      return result<Value>(Value(call()));
    }
  }
};

template <typename Error, typename In, typename F>
struct or_else_of_step : any_step {
  F f;
  explicit or_else_of_step(F held) : f(std::move(held)) {}
  bool applies(const result<In>& in) const noexcept {
    return !in.has_value() && holds_exception<Error>(in.error());
  }
  auto operator()(result<In>&& in) {
    try {
      std::rethrow_exception(in.error());
    } catch (const Error& error) {
      return or_else_step<In, F>::template as_of<In>(
          [&]() -> decltype(auto) { return std::invoke(f, error); });
    }
  }
  result<In> pass(result<In>&& in) const noexcept { return std::move(in); }
};

template <typename In, typename F>
struct on_cancelled_step : any_step {
  F f;
  explicit on_cancelled_step(F held) : f(std::move(held)) {}
  bool applies(const result<In>& in) const noexcept { return !in.has_value() && is_stop(in.error()); }
  auto operator()(result<In>&& in) {
    cancel_reason why = cancel_reason::requested;
    try {
      std::rethrow_exception(in.error());
    } catch (const cancelled& stop) {
      why = stop.reason();
    }
    const auto call = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<F&, cancel_reason>) {
        return std::invoke(f, why);
      } else {
        return std::invoke(f);
      }
    };
    if constexpr (std::is_void_v<std::invoke_result_t<decltype(call)&>>) {
      call();
      return std::move(in);
    } else {
      return or_else_step<In, F>::template as_of<In>(call);
    }
  }
  result<In> pass(result<In>&& in) const noexcept { return std::move(in); }
};

template <typename In, typename F>
auto attach_or_else(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<or_else_step>(std::move(to), std::forward<F>(f), executor_for(to), from);
}
template <typename Error, typename In, typename F>
auto attach_or_else_of(combinators, std::type_identity<Error>, future<In>&& to, F&& f,
                       std::source_location from) {
  using step = or_else_of_step<Error, In, std::decay_t<F>>;
  return attach_step<In>(std::move(to), step(std::forward<F>(f)), executor_for(to), from);
}
template <typename In, typename F>
auto attach_on_cancelled(combinators, future<In>&& to, F&& f, std::source_location from) {
  return attach_made<on_cancelled_step>(std::move(to), std::forward<F>(f), executor_for(to), from);
}

template <typename In>
auto attach_cancelled_as_optional(combinators, future<In>&& to) {
  using stored = typename result<In>::stored_type;
  return attach_result_inline(std::move(to), [](result<In> in) -> std::optional<stored> {
    if (!in.has_value() && is_stop(in.error())) return std::nullopt;
    if constexpr (std::is_void_v<In>) {
      std::move(in).value();
      return stored();
    } else {
      return std::move(in).value();
    }
  });
}
template <typename In, typename Error>
auto attach_cancelled_as_error(combinators, future<In>&& to, Error error) {
  return attach_result_inline(std::move(to), [error = std::move(error)](result<In> in) -> In {
    if (!in.has_value() && is_stop(in.error())) throw error;
    return std::move(in).value();
  });
}

}  // namespace weft::inline v1::detail
