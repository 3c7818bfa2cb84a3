#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/closure/fixed_string.hpp>
#include <weft/closure/services.hpp>
#include <weft/closure/signature.hpp>
#include <weft/core/unique_function.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/wire/json.hpp>

// How what users write as handlers becomes one kind of function. Parameters by type are those of closures
// (weft/closure/inject.hpp), and the request's own beside them.

namespace weft::inline v1::http {

/// What a route calls. Runs on the connection's fiber; several requests may run in it at a time.
using handler = unique_function<void(request&, response&)>;

/// As a handler's parameter: what stands at `{Name}` of the route, read as a `Value`.
///
///     server.get("/users/{id}", [](users& all, http::path_param<"id", int> id) { return all.name_of(*id);
///     });
///
/// Text that is no such value is answered with 400, as by request::param; a name that the route does not have
/// is an error when the route is added.
template <fixed_string Name, text_readable Value = std::string>
class path_param {
 public:
  explicit path_param(Value value) : value_(std::move(value)) {}
  const Value& operator*() const noexcept { return value_; }
  const Value* operator->() const noexcept { return &value_; }

 private:
  Value value_;
};

/// What a handler takes besides request and response; known when its route is added.
struct handler_needs {
  std::vector<weft::detail::requirement> services = {};  ///< from server_options::services
  std::vector<std::string_view> path_params = {};
};

namespace detail {

/// One parameter of a handler. The general case comes from the request's services.
template <typename P, typename Bare = std::remove_cvref_t<P>>
struct handler_argument {
  static_assert(
      weft::detail::is_injected<P>,
      "weft::http: this parameter of a handler is a value. A handler takes http::request&, "
      "http::response&, services (T&, named<>, param<>, service<>) and http::path_param<>; body and query "
      "are read from the request.");
  static decltype(auto) get(request& in, response&) {
    std::tuple<> no_values;
    return weft::detail::injector<P>::template get<0>(in.services(), no_values);
  }
  static void note(handler_needs& all) {
    constexpr auto needed = weft::detail::parameter_traits<P>::needs;
    if constexpr (needed.has_value()) all.services.push_back(*needed);
  }
};
template <typename P>
struct handler_argument<P, request> {
  static_assert(std::is_lvalue_reference_v<P>, "weft::http: take the request by reference, http::request&");
  static request& get(request& in, response&) { return in; }
  static void note(handler_needs&) {}
};
template <typename P>
struct handler_argument<P, response> {
  static_assert(std::is_lvalue_reference_v<P>, "weft::http: take the response by reference, http::response&");
  static response& get(request&, response& out) { return out; }
  static void note(handler_needs&) {}
};
template <typename P, fixed_string Name, typename Value>
struct handler_argument<P, path_param<Name, Value>> {
  static path_param<Name, Value> get(request& in, response&) {
    return path_param<Name, Value>(in.param<Value>(Name.view()));
  }
  static void note(handler_needs& all) { all.path_params.push_back(Name.view()); }
};

template <typename Function, typename... P>
decltype(auto) call_with_arguments(Function& work, request& in, response& out,
                                   weft::detail::type_list<P...>) {
  return work(handler_argument<P>::get(in, out)...);
}

/// Calls a handler. Parameters of a generic function cannot be read: it takes a request, a response, both or
/// nothing.
template <typename Function>
decltype(auto) call_handler(Function& work, request& in, response& out) {
  if constexpr (weft::detail::plain_callable<Function>) {
    using parameters = typename weft::detail::callable_signature<Function>::parameters;
    return call_with_arguments(work, in, out, parameters{});
  } else if constexpr (std::is_invocable_v<Function&, request&, response&>) {
    return work(in, out);
  } else if constexpr (std::is_invocable_v<Function&, request&>) {
    return work(in);
  } else if constexpr (std::is_invocable_v<Function&, response&>) {
    return work(out);
  } else {
    static_assert(
        std::is_invocable_v<Function&>,
        "weft::http: a generic or overloaded handler takes (http::request&), (http::response&), both in "
        "this order, or nothing");
    return work();
  }
}

template <typename... P>
void note_needs(handler_needs& all, weft::detail::type_list<P...>) {
  (handler_argument<P>::note(all), ...);
}

/// What make_handler's handler of such a function asks for.
template <typename Function>
handler_needs needs_of() {
  handler_needs all;
  if constexpr (weft::detail::plain_callable<Function>)
    note_needs(all, typename weft::detail::callable_signature<Function>::parameters{});
  return all;
}

void set_response(response& out, response&& result);
void set_text(response& out, std::string&& text);
void set_json(response& out, std::string&& document);

/// What a handler returned becomes the answer.
template <typename Result>
void set_result(response& out, Result&& result) {
  using held = std::remove_cvref_t<Result>;
  if constexpr (std::is_same_v<held, response>) {
    set_response(out, std::forward<Result>(result));
  } else if constexpr (std::is_constructible_v<std::string, Result>) {
    set_text(out, std::string(std::forward<Result>(result)));
  } else {
    static_assert(encodable<held> && !std::is_arithmetic_v<held>,
                  "weft::http: a handler returns an http::response, text, a value that has a codec "
                  "(WEFT_DESCRIBE makes one), which is sent as JSON, or nothing");
    set_json(out, wire::to_json(result));
  }
}

/// A handler of what users write as one.
template <typename Function>
handler make_handler(Function&& function) {
  using held = std::decay_t<Function>;
  return [work = held(std::forward<Function>(function))](request& in, response& out) mutable {
    if constexpr (std::is_void_v<decltype(call_handler(work, in, out))>) {
      call_handler(work, in, out);
    } else {
      set_result(out, call_handler(work, in, out));
    }
  };
}

}  // namespace detail
}  // namespace weft::inline v1::http
