#include <weft/http/cookie.hpp>

#include <algorithm>
#include <utility>

#include <weft/core/error.hpp>
#include <weft/http/header.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/status_error.hpp>

#include "http/chars.hpp"
#include "http/http_date.hpp"
#include "http/set_cookie.hpp"

namespace weft::inline v1::http {

namespace {

// RFC 6265, 4.1.1: visible ASCII without quotes, comma, semicolon and backslash.
constexpr detail::byte_set value_bytes =
    detail::byte_set("").with_range(0x21, 0x7e).without('"').without(',').without(';').without('\\');
constexpr detail::byte_set domain_bytes = detail::byte_set("-._").with_letters_and_digits();
constexpr detail::byte_set path_bytes = detail::byte_set("").with_range(0x20, 0x7e).without(';');

// What browsers take; they drop what is longer.
constexpr std::size_t name_and_value_bytes_max = 4096;
constexpr std::size_t attribute_bytes_max = 1024;
constexpr std::chrono::sys_seconds first_date{};
constexpr std::chrono::sys_seconds end_of_dates = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);

/// Takes the next pair off `left`; false at its end.
bool next_cookie(std::string_view& left, received_cookie& into) noexcept {
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(';'), left.size());
    const std::string_view pair = detail::trim_blanks(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    into = {detail::trim_blanks(pair.substr(0, equals)), detail::trim_blanks(pair.substr(equals + 1))};
    if (detail::token_bytes.spells(into.name)) return true;
  }
  return false;
}

class checker {
 public:
  explicit checker(std::string_view name) : name_(name) {}
  void require(bool holds, std::string_view what) const {
    if (holds) return;
    throw error(errc::invalid_argument,
                "http: cookie \"" + std::string(name_.substr(0, 64)) + "\": " + std::string(what));
  }

 private:
  std::string_view name_;
};

void check(std::string_view name, std::string_view value, const cookie_options& options) {
  const checker is(name);
  is.require(detail::token_bytes.spells(name), "its name is no token");
  is.require(value.empty() || value_bytes.spells(value),
             "its value has a byte that cookies cannot have; use percent_encode");
  is.require(name.size() + value.size() <= name_and_value_bytes_max,
             "it has more than 4096 bytes, and browsers would drop it");
  is.require(options.domain.empty() || domain_bytes.spells(options.domain), "a bad domain");
  is.require(options.path.empty() || (options.path.front() == '/' && path_bytes.spells(options.path)),
             "a path begins with '/' and has neither semicolons nor control bytes");
  is.require(std::max(options.domain.size(), options.path.size()) <= attribute_bytes_max,
             "its domain or path has more than 1024 bytes");
  is.require(!options.expires || (*options.expires >= first_date && *options.expires < end_of_dates),
             "it expires outside of the years 1970 to 9999");
  const bool is_host = detail::has_prefix(name, "__Host-");
  is.require(options.secure || !(is_host || detail::has_prefix(name, "__Secure-")),
             "the prefix wants `secure`");
  is.require(!is_host || (options.domain.empty() && options.path == "/"),
             "the prefix wants the path \"/\" and no domain");
  is.require(options.secure || options.same_site != same_site::none, "same_site::none wants `secure`");
  is.require(options.secure || !options.partitioned, "`partitioned` wants `secure`");
}

std::string_view name_of(same_site value) noexcept {
  switch (value) {
    case same_site::strict:
      return "Strict";
    case same_site::lax:
      return "Lax";
    case same_site::none:
      return "None";
    case same_site::unset:
      break;
  }
  return {};
}

std::string_view name_of(cookie_priority value) noexcept {
  switch (value) {
    case cookie_priority::low:
      return "Low";
    case cookie_priority::medium:
      return "Medium";
    case cookie_priority::high:
      return "High";
    case cookie_priority::unset:
      break;
  }
  return {};
}

}  // namespace

std::vector<received_cookie> parse_cookies(std::string_view header) {
  std::vector<received_cookie> all;
  received_cookie one;
  while (next_cookie(header, one)) all.push_back(one);
  return all;
}

std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name) noexcept {
  received_cookie one;
  while (next_cookie(header, one)) {
    if (one.name == name) return one.value;
  }
  return std::nullopt;
}

std::string set_cookie_text(std::string_view name, std::string_view value, const cookie_options& options) {
  check(name, value, options);
  std::string text;
  text.append(name).append("=").append(value);
  const auto add = [&text](std::string_view attribute, std::string_view with) {
    if (!with.empty()) text.append("; ").append(attribute).append("=").append(with);
  };
  if (options.expires) add("Expires", detail::http_date(*options.expires));
  if (options.max_age)
    add("Max-Age", std::to_string(std::max<std::chrono::seconds::rep>(options.max_age->count(), 0)));
  add("Domain", options.domain);
  add("Path", options.path);
  if (options.secure) text += "; Secure";
  if (options.http_only) text += "; HttpOnly";
  add("SameSite", name_of(options.same_site));
  if (options.partitioned) text += "; Partitioned";
  add("Priority", name_of(options.priority));
  return text;
}

// ---- what messages have of it

std::optional<std::string_view> request::cookie(std::string_view name) const noexcept {
  for (const http::header& field : parts_.headers) {
    if (!same_name(field.name, "cookie")) continue;
    if (const auto found = find_cookie(field.value, name)) return found;
  }
  return std::nullopt;
}

std::vector<received_cookie> request::cookies() const {
  std::vector<received_cookie> all;
  for (const http::header& field : parts_.headers) {
    if (!same_name(field.name, "cookie")) continue;
    const std::vector<received_cookie> some = parse_cookies(field.value);
    all.insert(all.end(), some.begin(), some.end());
  }
  if (all.size() > cookies_max) throw status_error(431, "more than 200 cookies");
  return all;
}

response& response::set_cookie(std::string_view name, std::string_view value, const cookie_options& options) {
  return add_header("Set-Cookie", set_cookie_text(name, value, options));
}

response& response::clear_cookie(std::string_view name, cookie_options options) {
  options.max_age = std::chrono::seconds(0);
  options.expires = std::chrono::sys_seconds();
  return set_cookie(name, {}, options);
}

}  // namespace weft::inline v1::http
