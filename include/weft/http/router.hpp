#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/http/handler.hpp>
#include <weft/http/middleware.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/route_verbs.hpp>

namespace weft::inline v1::http {

class route_group;

namespace detail {

struct route_node;
class middleware_list;

}  // namespace detail

/// Finds the handler of a request by its path, segment by segment, and its method.
///
/// A pattern is "/users/{id}/posts": `{name}` takes one segment that is not empty, and a last
/// `{name...}` takes the rest, which may be. Fixed text is preferred to a parameter. A percent-encoded
/// slash does not end a segment. HEAD is served by GET's handler. Filled before the server starts.
class router : public detail::route_verbs<router> {
 public:
  router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;
  ~router();

  /// Throws weft::error: invalid_argument for a bad pattern or a path_param that it does not have,
  /// already_exists for a second handler. `around` is middleware of this route alone, the first outermost,
  /// inside of what use() covers it with.
  void add(std::string_view method, std::string_view pattern, handler work, route_options options = {},
           handler_needs needs = {}, std::vector<std::shared_ptr<middleware>> around = {});

  /// A part of it, below `prefix`; see route_group. Throws weft::error (invalid_argument) for a bad prefix.
  route_group group(std::string_view prefix);
  /// A part of it whose routes have `work` around their handlers; see route_group.
  route_group with(middleware work);

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

}  // namespace weft::inline v1::http
