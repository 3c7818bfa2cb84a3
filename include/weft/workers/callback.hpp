#pragma once

#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <weft/closure/signature.hpp>
#include <weft/context/frame.hpp>
#include <weft/core/result.hpp>
#include <weft/core/unwinding.hpp>

// What a callback of a call takes, and how it gets it.

namespace weft::inline v1::workers {

class checkout;

namespace detail {

/// The code of a frame, or the callable itself.
template <typename F>
struct code_of {
  using type = F;
};
template <typename Code>
struct code_of<framed<Code>> {
  using type = Code;
};

/// The parameters of `(checkout&, T)`, also where the first one is `auto&`.
template <typename F>
struct callback_signature {};
template <weft::detail::plain_callable F>
struct callback_signature<F> {
  using parameters = typename weft::detail::callable_signature<F>::parameters;
};
template <typename F>
  requires(!weft::detail::plain_callable<F> && requires { &F::template operator()<checkout>; })
struct callback_signature<F> {
  using parameters =
      typename weft::detail::signature_of<decltype(&F::template operator()<checkout>)>::parameters;
};

template <typename Value>
struct is_result : std::false_type {
  using type = Value;
};
template <typename Value>
struct is_result<result<Value>> : std::true_type {
  using type = Value;
};

template <typename List>
struct callback_value {
  static constexpr bool ok = false;
};
template <typename First>
  requires std::is_same_v<First, checkout&>
struct callback_value<weft::detail::type_list<First>> {
  static constexpr bool ok = true;
  static constexpr bool takes_errors = false;
  using type = void;
};
template <typename First, typename Second>
  requires std::is_same_v<First, checkout&>
struct callback_value<weft::detail::type_list<First, Second>> {
  static constexpr bool ok = true;
  static constexpr bool takes_errors = is_result<std::remove_cvref_t<Second>>::value;
  using type = typename is_result<std::remove_cvref_t<Second>>::type;
};

template <typename F>
concept has_callback_signature =
    requires { typename callback_signature<typename code_of<F>::type>::parameters; };

/// What the callback `F` wants of a call; `ok` is false for what is none.
template <typename F>
struct callback_of {
  static constexpr bool ok = false;
};
template <has_callback_signature F>
struct callback_of<F> : callback_value<typename callback_signature<typename code_of<F>::type>::parameters> {};

template <typename... Args>
struct last_of {
  using type = void;
};
template <typename Only>
struct last_of<Only> {
  using type = std::decay_t<Only>;
};
template <typename First, typename Second, typename... More>
struct last_of<First, Second, More...> : last_of<Second, More...> {};

/// Is the last of these arguments a callback?
template <typename... Args>
inline constexpr bool ends_with_callback = callback_of<typename last_of<Args...>::type>::ok;

/// The callback in a frame of its own, unless it is one.
template <typename Callback>
auto in_frame(Callback callback, std::string name, std::source_location from) {
  if constexpr (is_framed<Callback>) {
    return callback;
  } else {
    return frame(std::move(callback), {.name = std::move(name)}, from);
  }
}

/// Hands the outcome of a call to its callback, or its error to the callback's frame.
template <typename Framed, typename Value>
void deliver(Framed& callback, checkout& of, result<Value> outcome) {
  using wanted = callback_of<Framed>;
  if constexpr (wanted::takes_errors) {
    callback(of, std::move(outcome));
  } else if (!outcome) {
    const auto error = outcome.error();
    frame([&error] { std::rethrow_exception(error); }, {.existing_frame = callback.handle()})();
  } else if constexpr (std::is_void_v<Value>) {
    callback(of);
  } else {
    callback(of, std::move(outcome).value());
  }
}

}  // namespace detail
}  // namespace weft::inline v1::workers
