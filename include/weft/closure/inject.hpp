#pragma once

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <weft/closure/parameter.hpp>
#include <weft/closure/services.hpp>
#include <weft/closure/signature.hpp>

// How the parameters of a function get their values: services and parameters from a container, and
// values from a tuple, in order.

namespace weft::inline v1::detail {

/// Gets one parameter from the container; for values from `values`, which has the index-th.
template <typename P, typename Bare = std::remove_cvref_t<P>>
struct injector {
  template <std::size_t Index, typename Values>
  static decltype(auto) get(services& from, [[maybe_unused]] Values& values) {
    if constexpr (!is_injected<P>) {
      return std::get<Index>(std::move(values));
    } else if constexpr (std::is_same_v<Bare, services>) {
      return static_cast<services&>(from);
    } else {
      return static_cast<P>(from.get<Bare>());
    }
  }
};
template <typename P, typename T>
struct injector<P, service<T>> {
  template <std::size_t, typename Values>
  static service<T> get(services& from, Values&) {
    return service<T>(from.get<T>());
  }
};
template <typename P, typename T, fixed_string Name>
struct injector<P, named<T, Name>> {
  template <std::size_t, typename Values>
  static named<T, Name> get(services& from, Values&) {
    return named<T, Name>(from.get<T>(Name.view()));
  }
};
template <typename P, typename T, fixed_string Name>
struct injector<P, param<T, Name>> {
  template <std::size_t, typename Values>
  static param<T, Name> get(services& from, Values&) {
    return param<T, Name>(from.parameter<T>(Name.view()));
  }
};

/// How many of the first `count` parameters are values: the index of the next one among the values.
template <typename... P>
constexpr std::size_t values_before(std::size_t count) {
  const bool are_values[] = {!is_injected<P>..., false};
  std::size_t values = 0;
  for (std::size_t i = 0; i < count; ++i) values += are_values[i] ? 1 : 0;
  return values;
}

/// Calls `function` with its injected parameters from `from` and its values moved out of `values`.
template <typename F, typename Values, typename... P>
decltype(auto) call_injected(F& function, services& from, Values& values, type_list<P...>) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
    return function(injector<P>::template get<values_before<P...>(I)>(from, values)...);
  }(std::index_sequence_for<P...>{});
}

/// A tuple of the value parameters, in order.
template <typename List>
struct values_of;
template <typename... P>
struct values_of<type_list<P...>> {
  using type = decltype(std::tuple_cat(
      std::declval<
          std::conditional_t<is_injected<P>, std::tuple<>, std::tuple<std::remove_cvref_t<P>>>>()...));
};

template <typename... P>
std::vector<requirement> requirements_of_list(type_list<P...>) {
  std::vector<requirement> out;
  (
      [&] {
        if constexpr (parameter_traits<P>::needs.has_value()) out.push_back(*parameter_traits<P>::needs);
      }(),
      ...);
  return out;
}

/// What a function needs from the container, in the order of its parameters.
template <typename F>
std::vector<requirement> requirements_of() {
  if constexpr (plain_callable<F>) {
    return requirements_of_list(typename callable_signature<F>::parameters{});
  } else {
    return {};
  }
}

template <typename T>
inline constexpr bool is_owner = false;
template <typename T, typename Deleter>
inline constexpr bool is_owner<std::unique_ptr<T, Deleter>> = true;
template <typename T>
inline constexpr bool is_owner<std::shared_ptr<T>> = true;

template <typename... P>
constexpr bool all_injected(type_list<P...>) {
  return (is_injected<P> && ...);
}

/// Runs a factory; the pointer refers to the object as a `Service`.
template <typename Service, typename Factory>
std::shared_ptr<void> make_service(Factory& factory, services& from) {
  static_assert(plain_callable<Factory>,
                "weft services: a factory is a function or a lambda without 'auto' parameters");
  if constexpr (plain_callable<Factory>) {
    using signature = callable_signature<Factory>;
    using made = typename signature::result;
    static_assert(
        all_injected(typename signature::parameters{}),
        "weft services: a factory takes services (T&), named<>, param<> and services&, but no values");
    static_assert(!std::is_reference_v<made>,
                  "weft services: a factory returns the object, not a reference; "
                  "offer an object that exists already with provide()");
    std::tuple<> no_values;
    if constexpr (is_owner<made>) {
      std::shared_ptr<Service> owner =
          call_injected(factory, from, no_values, typename signature::parameters{});
      return owner;
    } else {
      static_assert(
          std::is_convertible_v<made*, Service*>,
          "weft services: the factory returns a type that is neither the service's nor derived from it");
      // The object is made in place, so it need not be movable.
      std::shared_ptr<Service> owner = std::shared_ptr<made>(
          new made(call_injected(factory, from, no_values, typename signature::parameters{})));
      return owner;
    }
  }
}

}  // namespace weft::inline v1::detail

namespace weft::inline v1 {

template <typename Service, typename Factory>
void services::add(std::string name, Factory factory, service_options options) {
  auto added = recipe_for<Service>(std::move(name), options);
  added.needs = detail::requirements_of<Factory>();
  added.make = [held = std::move(factory)](services& from) mutable -> std::shared_ptr<void> {
    return detail::make_service<Service>(held, from);
  };
  add_recipe(std::move(added), nullptr);
}

}  // namespace weft::inline v1
