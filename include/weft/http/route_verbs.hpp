#pragma once

#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/http/handler.hpp>
#include <weft/http/route_options.hpp>
#include <weft/http/websocket.hpp>

namespace weft::inline v1::http::detail {

/// How routes are added, to a router, a server or a group of routes: what `Self::add` takes, of what users
/// write.
template <typename Self>
class route_verbs {
 public:
  /// A handler takes what it wants, by type and in any order: http::request&, http::response&, path_param<>,
  /// and services as closures do (T&, named<>, param<>, service<>, weft::services&) from
  /// server_options::services. What a handler returns is sent: an http::response with its status and body,
  /// and its header fields in place of those of the same names that were set before, by middleware; text as
  /// plain text, any other value that has a codec as JSON.
  template <typename Function>
  Self& route(std::string_view method, std::string_view pattern, Function&& function,
              route_options options = {}) {
    self().add(method, pattern, make_handler(std::forward<Function>(function)), options,
               needs_of<std::decay_t<Function>>());
    return self();
  }
  template <typename Function>
  Self& get(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("GET", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  Self& post(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("POST", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  Self& put(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("PUT", pattern, std::forward<Function>(function), options);
  }
  template <typename Function>
  Self& patch(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("PATCH", pattern, std::forward<Function>(function), options);
  }
  /// DELETE.
  template <typename Function>
  Self& del(std::string_view pattern, Function&& function, route_options options = {}) {
    return route("DELETE", pattern, std::forward<Function>(function), options);
  }
  /// Serves WebSockets there: `function` takes (http::websocket&), or (http::websocket&, http::request&), and
  /// the connection is closed when it returns. No handler_timeout, and always admitted. When the server
  /// stops, read() gives nothing.
  template <typename Function>
  Self& websocket(std::string_view pattern, Function&& function, websocket_options options = {}) {
    return get(pattern, make_websocket_handler(std::forward<Function>(function), std::move(options)),
               {.handler_timeout = std::chrono::milliseconds(0),
                .is_always_admitted = true,
                .ends_with_client = false});
  }

 protected:
  route_verbs() = default;
  ~route_verbs() = default;

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace weft::inline v1::http::detail
