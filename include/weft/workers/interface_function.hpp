#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <weft/closure/services.hpp>
#include <weft/codec/codec.hpp>

// How a function of an interface is called with encoded arguments, in whatever form they came.

namespace weft::inline v1::workers::detail {

/// Reads the list of arguments, writes the result; nothing where there is none. The services are those of the
/// call.
using interface_handler = std::function<void(services&, decoder& arguments, encoder& result)>;

/// One parameter, checked by itself so that the compiler's note names its type.
template <typename Parameter>
struct interface_parameter {
  using bare = std::remove_cvref_t<Parameter>;
  static_assert(!std::is_rvalue_reference_v<Parameter>,
                "weft workers: this parameter is a T&&; arguments are values: write T");
  static_assert(
      weft::detail::is_injected<Parameter> || encodable<bare>,
      "weft workers: this parameter is neither a service (T&) nor a value that can be encoded; write T& if "
      "the container makes it, or describe the type with WEFT_DESCRIBE");
  static constexpr bool ok = true;
};

template <typename... P>
constexpr bool check_parameters(weft::detail::type_list<P...>) {
  return (interface_parameter<P>::ok && ...);
}

template <typename Function>
void call_with(Function& function, services& of_this_call, decoder& arguments, encoder& into) {
  using signature = weft::detail::callable_signature<Function>;
  using result = typename signature::result;
  using values_type = typename weft::detail::values_of<typename signature::parameters>::type;
  auto values = weft::decode<values_type>(arguments);
  if constexpr (std::is_void_v<result>) {
    weft::detail::call_injected(function, of_this_call, values, typename signature::parameters{});
  } else {
    static_assert(encodable<result>,
                  "weft workers: the result cannot be encoded; describe its type with WEFT_DESCRIBE");
    weft::encode(into, static_cast<const std::remove_cvref_t<result>&>(weft::detail::call_injected(
                           function, of_this_call, values, typename signature::parameters{})));
  }
}

template <typename Function>
interface_handler make_handler(Function function) {
  static_assert(
      weft::detail::plain_callable<Function>,
      "weft workers: a function of an interface is a function or a lambda without 'auto' parameters");
  if constexpr (weft::detail::plain_callable<Function>) {
    static_assert(check_parameters(typename weft::detail::callable_signature<Function>::parameters{}));
    return [held = std::make_shared<Function>(std::move(function))](services& of_this_call,
                                                                    decoder& arguments, encoder& result) {
      call_with(*held, of_this_call, arguments, result);
    };
  } else {
    return {};
  }
}

}  // namespace weft::inline v1::workers::detail
