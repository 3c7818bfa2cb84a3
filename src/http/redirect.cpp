#include "http/redirect.hpp"

#include <algorithm>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

namespace {

/// RFC 3986, 5.2.4, of a path that begins with '/'.
std::string without_dots(std::string_view path) {
  std::string made;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool is_last = end == path.size();
    path.remove_prefix(end);
    if (segment == "/..") made.resize(made.rfind('/') == std::string::npos ? 0 : made.rfind('/'));
    if (segment != "/." && segment != "/..") {
      made += segment;
    } else if (is_last) {
      made += '/';
    }
  }
  return made;
}

/// The target that a relative reference means.
std::string resolved(std::string_view reference, std::string_view base) {
  const std::string_view base_path = base.substr(0, base.find('?'));
  if (reference.empty()) return std::string(base);
  if (reference.front() == '?') return std::string(base_path).append(reference);
  const std::size_t query = std::min(reference.find('?'), reference.size());
  std::string path(reference.substr(0, query));
  if (path.front() != '/') path.insert(0, base_path.substr(0, base_path.rfind('/') + 1));
  return without_dots(path).append(reference.substr(query));
}

bool has_scheme(std::string_view reference) noexcept {
  const std::size_t colon = reference.find(':');
  return colon != std::string_view::npos && colon < reference.find_first_of("/?");
}

url read_absolute(const std::string& location) {
  try {
    return read_url(location, "http", "a redirect to");
  } catch (const error& bad) {
    throw error(errc::malformed, bad.message());  // it is not the caller's
  }
}

url read_location(std::string_view location, const origin& from, std::string_view target) {
  location = location.substr(0, location.find('#'));
  if (has_scheme(location)) return read_absolute(std::string(location));
  if (location.starts_with("//"))
    return read_absolute((from.secure ? "https:" : "http:") + std::string(location));
  url made{from, resolved(location, target)};
  if (!target_bytes.spells(made.target))
    throw error(errc::malformed, "a redirect to \"" + std::string(location) + "\", which is no URL");
  return made;
}

}  // namespace

std::optional<redirected> redirect_of(int status, std::optional<std::string_view> location,
                                      std::string_view method, const origin& from, std::string_view target) {
  const bool repeats = status == 307 || status == 308;
  if (!location || (!repeats && (status < 301 || status > 303))) return std::nullopt;
  redirected made{read_location(*location, from, target), std::string(method)};
  if (from.secure && !made.to.origin.secure)
    throw error(errc::refused, "a redirect from https to " + made.to.origin.text() + " is not followed");
  const bool becomes_get = (status == 303 && method != "HEAD") || (!repeats && method == "POST");
  if (becomes_get) made.method = "GET";
  made.keeps_body = !becomes_get;
  return made;
}

request_options options_elsewhere(const request_options& options, bool same_origin, bool keeps_body) {
  request_options made = options;
  if (!keeps_body) made.content_type.clear();
  std::erase_if(made.headers, [&](const auto& field) {
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
      return std::any_of(names.begin(), names.end(),
                         [&](std::string_view name) { return same_name(field.first, name); });
    };
    return (!same_origin && is_one_of({"Authorization", "Cookie", "Proxy-Authorization"})) ||
           (!keeps_body &&
            is_one_of({"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"}));
  });
  if (!same_origin) made.sends_trace = false;
  return made;
}

}  // namespace weft::inline v1::http::detail
