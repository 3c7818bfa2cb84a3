#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <weft/closure/inject.hpp>
#include <weft/closure/parameter.hpp>
#include <weft/closure/signature.hpp>
#include <weft/codec/value.hpp>

// The rules of closures as compile errors that say what to write instead. Each parameter and each
// argument is checked in a class of its own, so that the compiler's note names position and type.

namespace weft::inline v1 {

template <typename Result>
class closure;

namespace detail {

template <typename F>
inline constexpr bool is_closure = false;
template <typename R>
inline constexpr bool is_closure<closure<R>> = true;

template <typename T>
inline constexpr bool is_span_like = requires {
  typename T::element_type;
  T::extent;
};

/// The function itself.
template <typename F>
struct closure_function_check {
  static constexpr bool is_pointer = std::is_pointer_v<F>;
  static constexpr bool is_member = std::is_member_pointer_v<F>;
  static constexpr bool is_object = std::is_class_v<F> && !is_closure<F>;
  static_assert(!is_pointer,
                "weft closure: a function pointer has no identity of its own. Write weft::function<&f>.");
  static_assert(!is_member,
                "weft closure: a member function has no object in another process. Write a lambda that takes "
                "the object as a service (T&).");
  static_assert(is_pointer || is_member || is_object,
                "weft closure: the first argument is not a function. Write a lambda without captures.");
  static constexpr bool captures = is_object && !std::is_empty_v<F>;
  static_assert(!captures,
                "weft closure: the lambda captures. Pass values as arguments after it: "
                "closure{[](int id) { ... }, id}.");
  static constexpr bool readable = one_call_operator<F>;
  static_assert(
      !is_object || captures || readable,
      "weft closure: the call operator is generic (an 'auto' parameter) or overloaded. Write the type of "
      "every parameter.");
  static constexpr bool ok = is_object && !captures && readable;
};

/// One parameter; Position counts from 1.
template <std::size_t Position, typename P>
struct closure_parameter_check {
  using bare = std::remove_cvref_t<P>;
  static constexpr bool rvalue = std::is_rvalue_reference_v<P>;
  static constexpr bool pointer = std::is_pointer_v<bare> || std::is_member_pointer_v<bare>;
  static constexpr bool view = std::is_same_v<bare, std::string_view> || is_span_like<bare>;
  static constexpr bool reference = std::is_lvalue_reference_v<P>;
  static constexpr bool container = std::is_same_v<bare, services>;
  static constexpr bool injected_by_value = !reference && is_injected<P>;
  static constexpr bool wrapper_reference = reference && is_injected<bare>;
  static constexpr bool plain_reference = reference && encodable<bare>;
  static_assert(!rvalue, "weft closure: this parameter is a T&&. Arguments are values: write T.");
  static_assert(
      !pointer,
      "weft closure: this parameter is a pointer, which means nothing in another process. Take a value, or a "
      "service by reference (T&).");
  static_assert(
      !view,
      "weft closure: this parameter is a view that does not own its text or items. Write std::string or "
      "std::vector.");
  static_assert(
      !plain_reference,
      "weft closure: this parameter is a reference to a plain value. References are services, arguments are "
      "values: drop the '&', or write weft::service<T> if it is a service.");
  static_assert(
      !wrapper_reference,
      "weft closure: this parameter is a reference to named<>, param<> or service<>. Take it by value.");
  static_assert(!(container && !reference),
                "weft closure: this parameter is the container as a value. Write weft::services&.");
  static constexpr bool refused =
      rvalue || pointer || view || plain_reference || wrapper_reference || container;
  static constexpr bool known = refused || injected_by_value || reference || encodable<bare>;
  static_assert(
      known,
      "weft closure: this parameter is neither a service (T&) nor a value that weft can encode. Write T& if "
      "the container makes it, or describe the type with WEFT_DESCRIBE.");
  static constexpr bool ok = known && (!refused || (container && reference));
};

/// One argument for the value parameter V; Position counts the values from 1.
template <std::size_t Position, typename V, typename A>
struct closure_argument_check {
  static constexpr bool to_truth = std::is_same_v<V, bool> && !std::is_same_v<A, bool>;
  static constexpr bool cuts_fraction = std::is_integral_v<V> && std::is_floating_point_v<A>;
  static constexpr bool fits = std::is_convertible_v<A, V>;
  static_assert(!to_truth, "weft closure: this argument would become a bool. Pass true or false.");
  static_assert(!cuts_fraction, "weft closure: this argument would lose its fraction. Convert it yourself.");
  static_assert(fits || to_truth, "weft closure: this argument does not convert to its parameter.");
  static constexpr bool ok = fits && !to_truth && !cuts_fraction;
};

template <typename Result>
struct closure_result_check {
  static_assert(!std::is_reference_v<Result>,
                "weft closure: the function returns a reference. Results travel as values: return T.");
  static constexpr bool known = std::is_reference_v<Result> || std::is_void_v<Result> || encodable<Result>;
  static_assert(
      known,
      "weft closure: the function returns a type that weft cannot encode. Describe it with WEFT_DESCRIBE, or "
      "return void.");
  static constexpr bool ok = known && !std::is_reference_v<Result>;
};

template <typename List, typename Indices>
struct closure_parameters_check;
template <typename... P, std::size_t... I>
struct closure_parameters_check<type_list<P...>, std::index_sequence<I...>> {
  static constexpr bool ok = (true & ... & closure_parameter_check<I + 1, P>::ok);
};

template <typename Values, typename Arguments, typename Indices>
struct closure_arguments_check;
template <typename... V, typename... A, std::size_t... I>
struct closure_arguments_check<std::tuple<V...>, type_list<A...>, std::index_sequence<I...>> {
  static constexpr bool ok = (true & ... & closure_argument_check<I + 1, V, A>::ok);
};

/// How many of the last parameters may be left out: those that are std::optional.
template <typename... V>
constexpr std::size_t required_values(std::tuple<V...>*) {
  const bool optional[] = {may_be_missing<V>..., false};
  std::size_t required = sizeof...(V);
  while (required > 0 && optional[required - 1]) --required;
  return required;
}

template <typename F, typename... A>
constexpr bool check_closure() {
  if constexpr (closure_function_check<F>::ok) {
    using signature = callable_signature<F>;
    using parameters = typename signature::parameters;
    static_assert(std::is_default_constructible_v<F>,
                  "weft closure: the function object has no default constructor.");
    constexpr bool parameters_ok =
        closure_parameters_check<parameters, std::make_index_sequence<parameters::size>>::ok;
    if constexpr (parameters_ok && closure_result_check<typename signature::result>::ok) {
      using values = typename values_of<parameters>::type;
      constexpr std::size_t size = std::tuple_size_v<values>;
      constexpr bool fewer = sizeof...(A) < size;
      constexpr bool more = sizeof...(A) > size;
      static_assert(
          !fewer,
          "weft closure: there are fewer arguments than value parameters. Each parameter that is not a "
          "reference takes one.");
      static_assert(
          !more,
          "weft closure: there are more arguments than value parameters. References are filled by the "
          "container and take none.");
      if constexpr (!fewer && !more) {
        return closure_arguments_check<values, type_list<A...>, std::make_index_sequence<size>>::ok;
      }
    }
  }
  return false;
}

}  // namespace detail
}  // namespace weft::inline v1
