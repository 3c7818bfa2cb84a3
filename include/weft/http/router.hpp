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

#include <weft/http/handler.hpp>
#include <weft/http/middleware.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>

namespace weft::http {

/// How requests of one route are served; its bounds are in place of the server's. A time of zero means no
/// bound.
struct route_options {
  /// The handler is called as soon as the head has come, and reads the body itself (request::read_body).
  /// Otherwise it is called once all of the body is here and known to be well formed.
  bool streams_body = false;
  std::optional<std::size_t> body_bytes_max = {};
  std::optional<std::chrono::milliseconds> body_timeout = {};
  std::optional<std::chrono::milliseconds> handler_timeout = {};
  /// Neither counted by requests_max nor turned away by it or by queue_delay_max: for health checks, and for
  /// answers that last as long as the client likes.
  bool is_always_admitted = false;
  /// Cancels the handler where the client has closed its connection meanwhile, which is noticed within 200
  /// ms. A client that only ended its sending counts as gone, unless it sent more requests first.
  bool ends_with_client = true;
};

namespace detail {

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

  /// Throws weft::error: invalid_argument for a bad pattern or a path_param that it does not have,
  /// already_exists for a second handler.
  void add(std::string_view method, std::string_view pattern, handler work, route_options options = {},
           handler_needs needs = {});

  /// A handler takes what it wants, by type and in any order: http::request&, http::response&, path_param<>,
  /// and services as closures do (T&, named<>, param<>, service<>, weft::services&) from
  /// server_options::services. What a handler returns is sent: an http::response with its status and body,
  /// and its header fields in place of those of the same names that were set before, by middleware; text as
  /// plain text, any other value that has a codec as JSON.
  template <typename Function>
  router& route(std::string_view method, std::string_view pattern, Function&& function,
                route_options options = {}) {
    add(method, pattern, detail::make_handler(std::forward<Function>(function)), options,
        detail::needs_of<std::decay_t<Function>>());
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
  /// What handlers would miss if requests had a child of `from`, a sentence with the route each; with null,
  /// any service.
  std::vector<std::string> missing(weft::services* from) const;
  /// The methods that a path has, "GET, HEAD, POST"; empty for an unknown path.
  std::string allowed(std::string_view path) const;

 private:
  std::unique_ptr<detail::route_node> root_;
  std::unique_ptr<detail::middleware_list> around_;  // null for none
};

}  // namespace weft::http
