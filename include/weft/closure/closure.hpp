#pragma once

#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <weft/closure/call.hpp>
#include <weft/closure/check.hpp>
#include <weft/closure/identity.hpp>
#include <weft/closure/run_place.hpp>
#include <weft/closure/services.hpp>

namespace weft::inline v1 {

/// A function without captures, and its arguments as values: it can be called here, and written down,
/// sent and run elsewhere.
///
///     weft::closure c{[](mailer& m, user_id id) { ... }, user_id{42}};
///
/// Parameters that are references (also named<>, param<>, service<>) are filled by the container where
/// it runs; the others are values and take the arguments in order. Values and result can be encoded.
/// Each rule that is broken is a compile error that says what to write instead.
///
/// The type depends on the result only, so closures of different functions go into one variable,
/// vector or map. Copies share their arguments, which never change. Thread-safe as a const object.
template <typename Result = void>
class closure {
 public:
  /// At most 10 arguments; the last parameter is the place where this is written.
  template <typename F, typename A1 = detail::no_argument, typename A2 = detail::no_argument,
            typename A3 = detail::no_argument, typename A4 = detail::no_argument,
            typename A5 = detail::no_argument, typename A6 = detail::no_argument,
            typename A7 = detail::no_argument, typename A8 = detail::no_argument,
            typename A9 = detail::no_argument, typename A10 = detail::no_argument>
    requires(!detail::is_closure<F>)
  closure(F, A1 a1 = {}, A2 a2 = {}, A3 a3 = {}, A4 a4 = {}, A5 a5 = {}, A6 a6 = {}, A7 a7 = {}, A8 a8 = {},
          A9 a9 = {}, A10 a10 = {}, std::source_location place = std::source_location::current()) {
    using maker = detail::closure_maker<Result, F, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10>;
    if constexpr (maker::ok) {
      entry_ = &maker::entry();
      call_ = maker::make(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10);
      detail::set_place(*entry_, place);
    }
  }

  /// A plain callable, which runs the function with services of `from`: in a child of it made for this
  /// run, or in itself where it belongs to a task already. It may be copied and called often, each time
  /// with fresh copies of the arguments; `from` outlives it.
  auto in(services& from) const {
    return [call = call_, container = &from]() -> Result { return run_in(*container, *call); };
  }

  /// What it is called where it is written down. Throws weft::error (unsupported) for an unnamed one in
  /// a module that was linked without a build id.
  const closure_identity& identity() const { return detail::identity_of(*entry_); }

  /// The arguments as a JSON list.
  std::string arguments() const {
    std::string out;
    wire::json_encoder encoder(out);
    call_->encode_arguments(encoder);
    return out;
  }
  /// The arguments as a list, in the encoder's format.
  void encode_arguments(encoder& out) const { call_->encode_arguments(out); }

  /// Where it is written, for people.
  closure_place place() const { return detail::place_of(*entry_); }

  /// The type of a service that it asks for and that only a request has, as the type says (weft_scope);
  /// empty: of none.
  std::string_view service_of_request() const { return detail::service_of_request(*entry_); }

  /// What it would miss if it ran with services of `from`, a sentence each.
  std::vector<std::string> missing(const services& from) const {
    return from.missing(entry_->requirements());
  }

 private:
  static Result run_in(services& from, const detail::typed_call<Result>& call) {
    if (from.scope() != service_scope::singleton) return call.run(from);
    services task(from, service_scope::per_task);
    return call.run(task);
  }

  detail::closure_entry* entry_ = nullptr;
  std::shared_ptr<const detail::typed_call<Result>> call_;
};

template <typename F, typename A1 = detail::no_argument, typename A2 = detail::no_argument,
          typename A3 = detail::no_argument, typename A4 = detail::no_argument,
          typename A5 = detail::no_argument, typename A6 = detail::no_argument,
          typename A7 = detail::no_argument, typename A8 = detail::no_argument,
          typename A9 = detail::no_argument, typename A10 = detail::no_argument>
  requires(!detail::is_closure<F>)
closure(F, A1 = {}, A2 = {}, A3 = {}, A4 = {}, A5 = {}, A6 = {}, A7 = {}, A8 = {}, A9 = {}, A10 = {},
        std::source_location = {}) -> closure<detail::closure_result<F>>;

/// Gives a function a name of its own, by which later builds know it, too:
///
///     weft::closure c{weft::named_closure<"mail.welcome">([](mailer& m, user_id id) { ... }), user_id{42}};
///
/// Two closures of one name end the program at its start, with both places. A name is 1 to 128 letters,
/// digits and `_ . : / -`.
template <detail::closure_name Name, typename F>
constexpr detail::named_function<Name, F> named_closure(F) {
  static_assert(Name.is_valid(), "weft closure: a name is 1 to 128 letters, digits and _ . : / -");
  return {};
}

/// Says where a function runs that others run, as a job's worker does; named or not:
///
///     weft::closure c{weft::placed_closure<weft::run_place::workers>(
///                         weft::named_closure<"image.resize">([](std::string file) { ... })),
///                     "cat.png"};
template <run_place Place, typename F>
constexpr detail::placed_function<Place, F> placed_closure(F) {
  return {};
}

/// A free function as what a closure can be made of: `closure{weft::function<&send>, user_id{42}}`.
template <auto Function>
inline constexpr detail::function_object<Function> function{};

}  // namespace weft::inline v1
