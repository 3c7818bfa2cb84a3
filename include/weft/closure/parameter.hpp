#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/closure/fixed_string.hpp>
#include <weft/closure/type_name.hpp>
#include <weft/codec/value.hpp>

namespace weft::inline v1 {

class services;

/// How long a service lives.
enum class service_scope : unsigned char {
  singleton,    ///< as long as the container it was added to
  per_task,     ///< as long as one run: of a closure, a job attempt, a request
  per_request,  ///< as long as one request of a server; asked for elsewhere it is refused
};

/// As a parameter: the service of type T. The same as `T&`, for types that could also be a value.
template <typename T>
class service {
 public:
  explicit service(T& object) noexcept : object_(&object) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  T* object_;
};

/// As a parameter: the service of type T that was added with that name.
template <typename T, fixed_string Name>
class named {
 public:
  explicit named(T& object) noexcept : object_(&object) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  T* object_;
};

/// As a parameter: the value that services::set has for that name, resolved where the function runs.
template <typename T, fixed_string Name>
class param {
 public:
  explicit param(T value) : value_(std::move(value)) {}
  const T& operator*() const noexcept { return value_; }
  const T* operator->() const noexcept { return &value_; }

 private:
  T value_;
};

namespace detail {

template <typename T>
concept says_its_scope = requires { requires std::is_same_v<decltype(T::weft_scope), const service_scope>; };

/// The scope that the type of a service says; singleton where it says none.
template <typename T>
constexpr service_scope own_scope_of() {
  if constexpr (says_its_scope<T>) return T::weft_scope;
  return service_scope::singleton;
}

/// One thing that a function needs from the container.
struct requirement {
  enum class kind : unsigned char { service, parameter };

  kind what = kind::service;
  const void* type = nullptr;                      // an address that only this type has; null for a parameter
  std::string_view type_name;                      // for people
  std::string_view name;                           // empty: the one without a name
  service_scope scope = service_scope::singleton;  // as its type says
};

template <typename T>
constexpr requirement service_requirement(std::string_view name) {
  using bare = std::remove_cv_t<T>;
  return {requirement::kind::service, &type_tag<bare>, type_name<bare>(), name, own_scope_of<bare>()};
}

/// What a parameter of type P stands for. The general case: a value, the next argument.
template <typename P, typename Bare = std::remove_cvref_t<P>>
struct parameter_traits {
  static constexpr bool is_value = !std::is_lvalue_reference_v<P>;
  static constexpr std::optional<requirement> needs =
      is_value ? std::nullopt : std::optional<requirement>(service_requirement<Bare>({}));
};

template <typename P>
struct parameter_traits<P, services> {
  static constexpr bool is_value = !std::is_reference_v<P>;
  static constexpr std::optional<requirement> needs = std::nullopt;
};

template <typename P, typename T>
struct parameter_traits<P, service<T>> {
  static constexpr bool is_value = false;
  static constexpr std::optional<requirement> needs = service_requirement<T>({});
};

template <typename P, typename T, fixed_string Name>
struct parameter_traits<P, named<T, Name>> {
  static constexpr bool is_value = false;
  static constexpr std::optional<requirement> needs = service_requirement<T>(Name.view());
};

template <typename P, typename T, fixed_string Name>
struct parameter_traits<P, param<T, Name>> {
  static constexpr bool is_value = false;
  static constexpr std::optional<requirement> needs =
      requirement{requirement::kind::parameter, nullptr, type_name<T>(), Name.view()};
};

/// Does the container make this parameter (true), or is it an argument (false)?
template <typename P>
inline constexpr bool is_injected = !parameter_traits<P>::is_value;

}  // namespace detail
}  // namespace weft::inline v1
