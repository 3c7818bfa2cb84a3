#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weft/http/middleware.hpp>
#include <weft/http/router.hpp>

namespace weft::inline v1::http {

/// A part of a router: what is added to it stands below a prefix, and may have middleware of its own.
///
///     auto api = server.group("/api");
///     api.use(count);                     // around every path below /api
///     api.get("/users", list);            // GET /api/users
///     auto admin = api.with(ask_who);     // around what is added to `admin`
///     admin.del("/users/{id}", remove);   // DELETE /api/users/{id}
///
/// use() goes by paths: it also covers what is added elsewhere, and what the router answers itself. with()
/// goes by routes. What use() puts around a request is outside of that, whatever the order of the calls.
///
/// A handle of the router, which outlives it; copies are the same part. Used as the router is.
class route_group : public detail::route_verbs<route_group> {
 public:
  /// As router::add, at the prefix of the group and `pattern`, which may be empty.
  void add(std::string_view method, std::string_view pattern, handler work, route_options options = {},
           handler_needs needs = {});

  /// Puts `work` around all paths below the prefix of the group, or below that and `prefix`; as router::use.
  route_group& use(middleware work) { return use({}, std::move(work)); }
  route_group& use(std::string_view prefix, middleware work);

  /// A part of this one, below `prefix`: "/" and segments, which may be {name}. Throws weft::error
  /// (invalid_argument) for another one.
  route_group group(std::string_view prefix) const;
  /// The same part with `work` around the handlers that are added to what this returns, inside of what this
  /// one has.
  route_group with(middleware work) const;

 private:
  friend class router;
  explicit route_group(router& of) noexcept : router_(&of) {}

  router* router_;
  std::string prefix_;
  std::vector<std::shared_ptr<middleware>> around_;  // the first is outermost
};

}  // namespace weft::inline v1::http
