#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <weft/closure/check.hpp>
#include <weft/closure/entry.hpp>
#include <weft/closure/inject.hpp>
#include <weft/closure/run_place.hpp>
#include <weft/closure/services.hpp>
#include <weft/codec/schema.hpp>

// What stands behind closure<R>: the registration of the function before main, and the erased pair of
// function and arguments.

namespace weft::inline v1::detail {

/// An argument that was not given.
struct no_argument {};

/// What named_closure returns.
template <closure_name Name, typename F>
struct named_function {};

/// What placed_closure returns.
template <run_place Place, typename F>
struct placed_function {};

/// A free function as an object of a type of its own.
template <auto Function, typename Type = decltype(Function)>
struct function_object {
  static_assert(
      !std::is_member_pointer_v<Type>,
      "weft::function: a member function has no object in another process. Write a lambda that takes the "
      "object as a service (T&).");
};
template <auto Function, typename R, typename... P>
struct function_object<Function, R (*)(P...)> {
  R operator()(P... parameters) const { return Function(std::forward<P>(parameters)...); }
};
template <auto Function, typename R, typename... P>
struct function_object<Function, R (*)(P...) noexcept> {
  R operator()(P... parameters) const { return Function(std::forward<P>(parameters)...); }
};

/// A closure without a name of its own.
struct no_name {
  static constexpr std::string_view text{};
  static constexpr std::string_view file{};
  static constexpr std::uint32_t line = 0;
  static constexpr std::uint32_t column = 0;
};
template <closure_name Name>
struct given_name {
  static constexpr std::string_view text = Name.view();
  static constexpr std::string_view file = Name.file;
  static constexpr std::uint32_t line = Name.line;
  static constexpr std::uint32_t column = Name.column;
};

template <typename F>
struct unwrapped {
  using function = F;
  using name = no_name;
  static constexpr run_place place = run_place::unsaid;
};
template <closure_name Name, typename F>
struct unwrapped<named_function<Name, F>> : unwrapped<F> {
  using name = given_name<Name>;
};
template <run_place Place, typename F>
struct unwrapped<placed_function<Place, F>> : unwrapped<F> {
  static constexpr run_place place = Place;
};

/// The result type; void where the function is refused anyway.
template <typename F>
struct result_of_closure {
  using type = void;
};
template <plain_callable F>
struct result_of_closure<F> {
  using type = typename callable_signature<F>::result;
};
template <typename F>
using closure_result = std::remove_cvref_t<typename result_of_closure<typename unwrapped<F>::function>::type>;

template <typename F>
using closure_values = typename values_of<typename callable_signature<F>::parameters>::type;

/// The function F with its values.
template <typename F>
class call_of final : public typed_call<typename callable_signature<F>::result> {
 public:
  using result = typename callable_signature<F>::result;
  using values = closure_values<F>;

  explicit call_of(values given) : values_(std::move(given)) {}

  result run(services& from) const override {
    F function{};
    values mine = values_;
    return call_injected(function, from, mine, typename callable_signature<F>::parameters{});
  }

  void run_encoded(services& from, encoder& out) const override {
    if constexpr (std::is_void_v<result>) {
      run(from);
      out.null();
    } else {
      weft::encode(out, run(from));
    }
  }

  void encode_arguments(encoder& out) const override { weft::encode(out, values_); }

  /// Stored arguments may be fewer than the parameters where those that lack are optional, never more.
  static std::shared_ptr<const closure_call> decode(decoder& in) {
    values read{};
    in.begin_list();
    bool at_end = false;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (decode_one<I>(in, read, at_end), ...);
    }(std::make_index_sequence<std::tuple_size_v<values>>{});
    expect_no_more_arguments(in, at_end, std::tuple_size_v<values>);
    return std::make_shared<call_of>(std::move(read));
  }

 private:
  template <std::size_t I>
  static void decode_one(decoder& in, values& into, bool& at_end) {
    if (next_argument(in, at_end)) {
      weft::decode_into(in, std::get<I>(into));
    } else if constexpr (!may_be_missing<std::tuple_element_t<I, values>>) {
      throw_missing_argument(in, I);
    }
  }

  values values_;
};

template <typename Result>
std::string result_schema() {
  if constexpr (std::is_void_v<Result>) {
    return "void";
  } else {
    return schema_text<Result>();
  }
}

/// The entry of a function. It registers itself before main because the constructor of a closure
/// refers to it, also where that constructor never runs.
template <typename F, typename Name, run_place Place>
struct registration {
  static constexpr std::string_view type() { return type_name<F>(); }

  static inline constinit closure_entry entry{
      Name::text,
      Name::file,
      Name::line,
      Name::column,
      type(),
      __BASE_FILE__,
      Place,
      &schema_text<closure_values<F>>,
      &result_schema<typename callable_signature<F>::result>,
      &requirements_of<F>,
      &call_of<F>::decode,
  };
  static inline const bool done = register_closure(entry);
};

/// Checks and makes what a closure<Result> holds; A may end in no_argument.
template <typename Result, typename F, typename... A>
struct closure_maker {
  using function = typename unwrapped<F>::function;
  static constexpr std::size_t given = (0 + ... + (std::is_same_v<A, no_argument> ? 0 : 1));

  template <std::size_t... I>
  static constexpr bool check(std::index_sequence<I...>) {
    return check_closure<function, std::tuple_element_t<I, std::tuple<A...>>...>();
  }
  static constexpr bool checked = check(std::make_index_sequence<given>{});
  static constexpr bool right_result = !checked || std::is_same_v<Result, closure_result<F>>;
  static_assert(right_result, "weft closure: the function does not return the closure's result type.");
  static constexpr bool ok = checked && right_result;

  static closure_entry& entry() {
    using registered = registration<function, typename unwrapped<F>::name, unwrapped<F>::place>;
    (void)&registered::done;
    return registered::entry;
  }

  static std::shared_ptr<const typed_call<Result>> make(A&... arguments) {
    std::tuple<A&...> all(arguments...);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::make_shared<call_of<function>>(closure_values<function>(
          static_cast<std::tuple_element_t<I, closure_values<function>>>(std::move(std::get<I>(all)))...));
    }(std::make_index_sequence<given>{});
  }
};

}  // namespace weft::inline v1::detail
