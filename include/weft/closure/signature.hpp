#pragma once

#include <cstddef>
#include <type_traits>

namespace weft::inline v1::detail {

template <typename... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

template <typename Pointer>
struct signature_of;

// One for each combination of const, & and noexcept that a call operator may have.
#define WEFT_DETAIL_SIGNATURE(qualifiers)          \
  template <typename R, typename C, typename... P> \
  struct signature_of<R (C::*)(P...) qualifiers> { \
    using result = R;                              \
    using parameters = type_list<P...>;            \
  };
WEFT_DETAIL_SIGNATURE()
WEFT_DETAIL_SIGNATURE(const)
WEFT_DETAIL_SIGNATURE(&)
WEFT_DETAIL_SIGNATURE(const&)
WEFT_DETAIL_SIGNATURE(noexcept)
WEFT_DETAIL_SIGNATURE(const noexcept)
WEFT_DETAIL_SIGNATURE(& noexcept)
WEFT_DETAIL_SIGNATURE(const& noexcept)
#undef WEFT_DETAIL_SIGNATURE

template <typename R, typename... P>
struct signature_of<R (*)(P...)> {
  using result = R;
  using parameters = type_list<P...>;
};
template <typename R, typename... P>
struct signature_of<R (*)(P...) noexcept> {
  using result = R;
  using parameters = type_list<P...>;
};

/// Has exactly one call operator that is not a template: its parameters can be read.
template <typename F>
concept one_call_operator = requires { &F::operator(); };

template <typename F>
struct callable_signature {};
template <typename F>
  requires one_call_operator<F>
struct callable_signature<F> : signature_of<decltype(&F::operator())> {};
template <typename F>
  requires(std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>)
struct callable_signature<F> : signature_of<F> {};

/// A function object or function pointer whose parameters can be read.
template <typename F>
concept plain_callable = requires { typename callable_signature<F>::parameters; };

}  // namespace weft::inline v1::detail
