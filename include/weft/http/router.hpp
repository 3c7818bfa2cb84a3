#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/core/unique_function.hpp>
#include <weft/http/middleware.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/wire/json.hpp>

namespace weft::http {

/// What a route calls. Runs on the connection's fiber; several requests may run in it at a time.
using handler = unique_function<void(request&, response&)>;

/// How requests of one route are served; its bounds are in place of the server's. A time of zero means no
/// bound.
struct route_options {
  /// The handler is called as soon as the head has come, and reads the body itself (request::read_body).
  /// Otherwise it is called once all of the body is here and known to be well formed.
  bool streams_body = false;
  std::optional<std::size_t> body_bytes_max = {};
  std::optional<std::chrono::milliseconds> body_timeout = {};
  std::optional<std::chrono::milliseconds> handler_timeout = {};
};

namespace detail {

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

/// A handler of any callable that takes a request, a response, both or nothing. The one place that
/// looks at the parameters of what users write as handlers.
template <typename Function>
handler make_handler(Function&& function) {
  using held = std::decay_t<Function>;
  return [work = held(std::forward<Function>(function))](request& in, response& out) mutable {
    const auto call = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<held&, request&, response&>) {
        return work(in, out);
      } else if constexpr (std::is_invocable_v<held&, request&>) {
        return work(in);
      } else if constexpr (std::is_invocable_v<held&, response&>) {
        return work(out);
      } else {
        static_assert(std::is_invocable_v<held&>,
                      "weft::http: a handler takes (http::request&), (http::response&), both in this order, "
                      "or nothing");
        return work();
      }
    };
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
    } else {
      set_result(out, call());
    }
  };
}

struct route_node;
class middleware_list;

}  // namespace detail

/// Finds the handler of a request by its path, segment by segment, and its method.
///
/// A pattern is "/users/{id}/posts": `{name}` takes one segment that is not empty, and a last
/// `{name...}` takes the rest, which may be. Fixed text is preferred to a parameter. A percent-encoded
/// slash does not end a segment. HEAD is served by GET's handler. Filled before the server starts.
class router {
 public:
  router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;
  ~router();

  /// Throws weft::error: invalid_argument for a bad pattern, already_exists for a second handler.
  void add(std::string_view method, std::string_view pattern, handler work, route_options options = {});

  /// What a handler returns is sent: an http::response as it is, text as plain text, any other value
  /// that has a codec as JSON.
  template <typename Function>
  router& route(std::string_view method, std::string_view pattern, Function&& function,
                route_options options = {}) {
    add(method, pattern, detail::make_handler(std::forward<Function>(function)), options);
    return *this;
  }
  template <typename Function>
  router& get(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("GET", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  router& post(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("POST", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  router& put(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("PUT", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  router& patch(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("PATCH", pattern, std::forward<Function>(function), options);
  }
  /// DELETE.
  template <typename Function>
  router& del(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("DELETE", pattern, std::forward<Function>(function), options);
  }

  /// Puts `work` around the handlers of all paths, or of those that begin with the segments of `prefix`, in
  /// the order of the calls, the first outermost. In a prefix {name} stands for any one segment:
  /// "/users/{id}" covers /users/7 and /users/7/mail. Also around what the router answers itself (404, 405,
  /// OPTIONS), but not around requests that are refused as malformed or too large. Throws weft::error
  /// (invalid_argument) for a bad prefix.
  router& use(middleware work) { return use({}, std::move(work)); }
  router& use(std::string_view prefix, middleware work);

  /// The outcome of a search; reused from request to request.
  struct match {
    handler* work = nullptr;  ///< null: see status
    route_options options;
    std::string_view pattern;  ///< of the route that was found
    int status = 404;          ///< 404, 405, or 400 for a path that is badly encoded
    std::vector<detail::path_parameter> parameters;
    std::vector<std::unique_ptr<std::string>> decoded;  ///< texts that `parameters` point to
    std::vector<middleware*> around;
  };
  void find(std::string_view method, std::string_view path, match& into) const;
  /// The methods that a path has, "GET, HEAD, POST"; empty for an unknown path.
  std::string allowed(std::string_view path) const;

 private:
  std::unique_ptr<detail::route_node> root_;
  std::unique_ptr<detail::middleware_list> around_;  // null for none
};

}  // namespace weft::http
