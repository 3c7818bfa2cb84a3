#include <weft/http/route_group.hpp>

#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::http {

void route_group::add(std::string_view method, std::string_view pattern, handler work, route_options options,
                      handler_needs needs) {
  const std::string whole = prefix_ + std::string(pattern);
  if (!pattern.empty() && !pattern.starts_with('/')) {
    throw error(errc::invalid_argument, "http: route \"" + whole + "\": \"" + std::string(pattern) +
                                            "\", in a group, does not begin with '/'");
  }
  router_->add(method, whole, std::move(work), options, std::move(needs), around_);
}

route_group& route_group::use(std::string_view prefix, middleware work) {
  router_->use(prefix_ + std::string(prefix), std::move(work));
  return *this;
}

route_group route_group::group(std::string_view prefix) const {
  if (!prefix.starts_with('/') || prefix.ends_with('/') || prefix.ends_with("...}")) {
    throw error(errc::invalid_argument,
                "http: a group at \"" + std::string(prefix) +
                    "\": a prefix begins with '/', and does not end with it or with {name...}");
  }
  route_group below = *this;
  below.prefix_ += prefix;
  return below;
}

route_group route_group::with(middleware work) const {
  route_group made = *this;
  made.around_.push_back(std::make_shared<middleware>(std::move(work)));
  return made;
}

route_group router::group(std::string_view prefix) { return route_group(*this).group(prefix); }
route_group router::with(middleware work) { return route_group(*this).with(std::move(work)); }

}  // namespace weft::inline v1::http
