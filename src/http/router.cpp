#include <weft/http/router.hpp>

#include <algorithm>
#include <map>
#include <optional>

#include <weft/core/error.hpp>

#include "http/chars.hpp"
#include "http/middleware_list.hpp"
#include "http/path_segments.hpp"
#include "http/response_access.hpp"

namespace weft::inline v1::http {

namespace detail {

void set_response(response& out, response&& result) {
  if (out.is_streaming())
    throw error(errc::misuse, "http: the handler both wrote to its response and returned one");
  response_access::assign(out, std::move(result));
}

void set_text(response& out, std::string&& text) {
  if (out.is_streaming())
    throw error(errc::misuse, "http: the handler both wrote to its response and returned text");
  out.body(std::move(text));
}

void set_json(response& out, std::string&& document) {
  set_text(out, std::move(document));
  out.content_type("application/json");
}

/// One handler of a path.
struct route_entry {
  std::string method;
  std::string pattern;
  std::vector<std::string> names;  // of the parameters, in the order of the path
  handler work;
  route_options options;
  handler_needs needs;
  std::vector<std::shared_ptr<middleware>> around;  // the first is outermost
};

/// One segment of all patterns that agree up to here.
struct route_node {
  std::map<std::string, route_node, std::less<>> fixed;
  std::unique_ptr<route_node> parameter;
  std::vector<route_entry> here;  // patterns that end here
  std::vector<route_entry> rest;  // patterns that end here with {name...}
};

namespace {

constexpr std::size_t path_parameters_max = 16;

[[noreturn]] void throw_bad_pattern(std::string_view pattern, const char* why) {
  throw error(errc::invalid_argument, "http: route \"" + std::string(pattern) + "\": " + why);
}

/// Walks the tree; fixed text first, then the parameter, then the rest. Captures are raw.
struct search {
  std::vector<std::string_view> captured;
  const std::vector<route_entry>* found = nullptr;

  bool walk(const route_node& node, std::string_view path) {
    if (path.empty() && !node.here.empty()) {
      found = &node.here;
      return true;
    }
    if (!path.empty()) {
      std::string_view behind = path;
      const std::string_view segment = take_segment(behind);
      if (const auto fixed = node.fixed.find(segment); fixed != node.fixed.end()) {
        if (walk(fixed->second, behind)) return true;
      } else if (segment.find('%') != std::string_view::npos && walk_decoded(node, segment, behind)) {
        return true;
      }
      if (node.parameter != nullptr && !segment.empty()) {
        captured.push_back(segment);
        if (walk(*node.parameter, behind)) return true;
        captured.pop_back();
      }
    }
    if (node.rest.empty()) return false;
    captured.push_back(path.empty() ? path : path.substr(1));
    found = &node.rest;
    return true;
  }

  bool walk_decoded(const route_node& node, std::string_view segment, std::string_view behind) {
    const std::optional<std::string> decoded = percent_decode(segment);
    if (!decoded) return false;
    const auto fixed = node.fixed.find(*decoded);
    return fixed != node.fixed.end() && walk(fixed->second, behind);
  }
};

const route_entry* find_method(const std::vector<route_entry>& entries, std::string_view method) noexcept {
  for (const route_entry& one : entries) {
    if (one.method == method) return &one;
  }
  return method == "HEAD" ? find_method(entries, "GET") : nullptr;
}

/// Hands the captured text over, decoded. False where the encoding is broken or hides a zero byte.
bool keep_parameter(std::string_view name, std::string_view raw, router::match& into) {
  if (raw.find('%') != std::string_view::npos) {
    std::optional<std::string> decoded = percent_decode(raw);
    if (!decoded || decoded->find('\0') != std::string::npos) return false;
    into.decoded.push_back(std::make_unique<std::string>(std::move(*decoded)));
    raw = *into.decoded.back();
  }
  into.parameters.push_back({name, raw});
  return true;
}

}  // namespace

}  // namespace detail

router::router() : root_(std::make_unique<detail::route_node>()) {}
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;
router::~router() = default;

void router::add(std::string_view method, std::string_view pattern, handler work, route_options options,
                 handler_needs needs, std::vector<std::shared_ptr<middleware>> around) {
  if (!detail::token_bytes.spells(method)) detail::throw_bad_pattern(pattern, "a bad method");
  if (!pattern.starts_with('/')) detail::throw_bad_pattern(pattern, "it does not begin with '/'");
  detail::route_node* node = root_.get();
  std::vector<detail::route_entry>* entries = nullptr;
  std::vector<std::string> names;
  for (std::string_view left = pattern; !left.empty();) {
    const std::string_view segment = detail::take_segment(left);
    if (!segment.starts_with('{')) {
      if (segment.find_first_of("{}%?#") != std::string_view::npos) {
        detail::throw_bad_pattern(
            pattern, "write a parameter as a whole segment, {name}, and text without %, ? and #");
      }
      node = &node->fixed[std::string(segment)];
      continue;
    }
    std::string_view name = segment.substr(1);
    if (!name.ends_with('}')) detail::throw_bad_pattern(pattern, "a parameter without its '}'");
    name.remove_suffix(1);
    const bool takes_rest = name.ends_with("...");
    if (takes_rest) name.remove_suffix(3);
    if (!detail::token_bytes.spells(name)) detail::throw_bad_pattern(pattern, "a bad name of a parameter");
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      detail::throw_bad_pattern(pattern, "two parameters of one name");
    }
    if (names.size() == detail::path_parameters_max)
      detail::throw_bad_pattern(pattern, "more than 16 parameters");
    names.emplace_back(name);
    if (takes_rest) {
      if (!left.empty()) detail::throw_bad_pattern(pattern, "something stands behind {name...}");
      entries = &node->rest;
    } else {
      if (node->parameter == nullptr) node->parameter = std::make_unique<detail::route_node>();
      node = node->parameter.get();
    }
  }
  if (entries == nullptr) entries = &node->here;
  for (const detail::route_entry& one : *entries) {
    if (one.method == method) {
      throw error(errc::already_exists, "http: route \"" + std::string(pattern) +
                                            "\": there is a handler for " + std::string(method) + " already");
    }
  }
  for (const std::string_view wanted : needs.path_params) {
    if (std::find(names.begin(), names.end(), wanted) == names.end()) {
      throw error(errc::invalid_argument, "http: route \"" + std::string(pattern) +
                                              "\": the handler wants {" + std::string(wanted) +
                                              "}, which the pattern does not have");
    }
  }
  entries->push_back({std::string(method), std::string(pattern), std::move(names), std::move(work), options,
                      std::move(needs), std::move(around)});
}

router& router::use(std::string_view prefix, middleware work) {
  if (around_ == nullptr) around_ = std::make_unique<detail::middleware_list>();
  around_->add(prefix, std::move(work));
  return *this;
}

void router::find(std::string_view method, std::string_view path, match& into) const {
  into.work = nullptr;
  into.options = {};
  into.status = 404;
  into.parameters.clear();
  into.decoded.clear();
  into.pattern = {};
  into.around.clear();
  if (around_ != nullptr) around_->find(path, into.around);
  detail::search search;
  if (!path.starts_with('/') || !search.walk(*root_, path)) return;
  const detail::route_entry* const entry = detail::find_method(*search.found, method);
  if (entry == nullptr) {
    into.status = 405;
    return;
  }
  for (std::size_t i = 0; i < entry->names.size(); ++i) {
    if (!detail::keep_parameter(entry->names[i], search.captured[i], into)) {
      into.status = 400;
      return;
    }
  }
  for (const auto& one : entry->around) into.around.push_back(one.get());
  into.options = entry->options;
  into.pattern = entry->pattern;
  into.work = const_cast<handler*>(&entry->work);  // the tree is fixed; what it calls need not be
}

std::vector<std::string> router::missing(weft::services* from) const {
  std::vector<std::string> problems;
  std::optional<weft::services> request;
  if (from != nullptr) request.emplace(*from, service_scope::per_request);
  const auto look = [&](const std::vector<detail::route_entry>& entries) {
    for (const detail::route_entry& one : entries) {
      if (one.needs.services.empty()) continue;
      const std::string route = one.method + " " + one.pattern + ": ";
      if (!request) {
        problems.push_back(route + "the handler takes services, and server_options::services is null");
        continue;
      }
      for (const std::string& problem : request->missing(one.needs.services))
        problems.push_back(route + problem);
    }
  };
  const auto walk = [&](const auto& self, const detail::route_node& node) -> void {
    look(node.here);
    look(node.rest);
    for (const auto& [text, below] : node.fixed) self(self, below);
    if (node.parameter != nullptr) self(self, *node.parameter);
  };
  walk(walk, *root_);
  return problems;
}

std::string router::allowed(std::string_view path) const {
  detail::search search;
  if (!path.starts_with('/') || !search.walk(*root_, path)) return {};
  std::string list;
  for (const detail::route_entry& one : *search.found) {
    list.append(list.empty() ? "" : ", ").append(one.method);
    if (one.method == "GET") list.append(", HEAD");
  }
  return list;
}

}  // namespace weft::inline v1::http
