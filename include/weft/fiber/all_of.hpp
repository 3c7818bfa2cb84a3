#pragma once

#include <concepts>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/fiber/scope.hpp>

namespace weft::inline v1 {

namespace detail {

template <typename Value>
auto joined_value(child<Value>& one) {
  if constexpr (std::is_void_v<Value>) {
    one.join();
    return std::monostate();
  } else {
    return one.join();
  }
}

}  // namespace detail

/// Calls each function on a fiber of its own and waits for all; gives what they returned, in order, with
/// std::monostate for nothing. The first error cancels the others and is thrown; weft::exit wins over it. A
/// cancellation point. For a range of things to do, see map_limited.
///     const auto [user, orders] = weft::all_of([&] { return load(id); }, [&] { return orders_of(id); });
template <typename... Functions>
  requires(std::invocable<Functions&> && ...)
auto all_of(Functions&&... functions) {
  return with_scope([&](scope& in) {
    // In braces: started from left to right.
    std::tuple<child<std::invoke_result_t<Functions&>>...> children{
        in.go([&functions]() -> std::invoke_result_t<Functions&> { return std::invoke(functions); })...};
    in.join();
    return std::apply([](auto&... each) { return std::tuple{detail::joined_value(each)...}; }, children);
  });
}

}  // namespace weft::inline v1
