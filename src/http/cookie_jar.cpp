#include <weft/http/cookie_jar.hpp>

#include <algorithm>

#include <weft/core/clock.hpp>
#include <weft/http/header.hpp>

#include "http/chars.hpp"
#include "http/set_cookie.hpp"

namespace weft::inline v1::http {

namespace {

using std::chrono::sys_seconds;

sys_seconds now_in_seconds() noexcept { return std::chrono::floor<std::chrono::seconds>(wall_clock::now()); }

std::string lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), detail::to_lower);
  return made;
}

/// An address, or the path of a Unix socket: nothing is below it.
bool is_no_name(std::string_view host) noexcept {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return host.find_first_of(":/") != std::string_view::npos || last.empty() ||
         detail::digit_bytes.spells(last);
}

/// RFC 6265, 5.1.3.
bool is_in_domain(std::string_view host, std::string_view domain) noexcept {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.' && !is_no_name(host);
}

/// RFC 6265, 5.1.4.
bool is_below(std::string_view path, std::string_view above) noexcept {
  if (!path.starts_with(above)) return false;
  return path.size() == above.size() || above.ends_with('/') || path[above.size()] == '/';
}

std::string_view default_path(std::string_view path) noexcept {
  if (!path.starts_with('/')) return "/";
  const std::size_t last = path.rfind('/');
  return last == 0 ? "/" : path.substr(0, last);
}

bool has_ended(const kept_cookie& one, sys_seconds now) noexcept {
  return one.expires && *one.expires <= now;
}

std::optional<sys_seconds> end_of(const detail::set_cookie_field& said, sys_seconds now) noexcept {
  if (said.max_age) return now + std::min<std::chrono::seconds>(*said.max_age, cookie_jar::kept_for_max);
  if (said.expires) return std::min(*said.expires, now + cookie_jar::kept_for_max);
  return std::nullopt;
}

/// Nothing for a cookie that this place may not set, whatever else is kept.
std::optional<kept_cookie> cookie_of(const detail::set_cookie_field& said, const std::string& host,
                                     const cookie_place& from, sys_seconds now) {
  kept_cookie made{.name = std::string(said.name),
                   .value = std::string(said.value),
                   .domain = lower(said.domain),
                   .path = std::string(said.path.empty() ? default_path(from.path) : said.path),
                   .host_only = said.domain.empty(),
                   .secure = said.secure,
                   .http_only = said.http_only,
                   .expires = end_of(said, now)};
  if (!made.host_only) {
    const bool is_shared = made.domain.find('.') != std::string::npos && !is_no_name(made.domain);
    if (!is_shared && made.domain != host) return std::nullopt;
    if (!is_in_domain(host, made.domain)) return std::nullopt;
    made.host_only = !is_shared;
  }
  if (made.host_only) made.domain = host;
  if (made.secure && !from.secure) return std::nullopt;
  const bool wants_host = detail::has_prefix(made.name, "__Host-");
  if (!made.secure && (wants_host || detail::has_prefix(made.name, "__Secure-"))) return std::nullopt;
  if (wants_host && (!said.domain.empty() || said.path != "/")) return std::nullopt;
  return made;
}

}  // namespace

bool cookie_jar::take(const cookie_place& from, std::string_view set_cookie) {
  const auto said = detail::read_set_cookie(set_cookie, attribute_bytes_max);
  if (!said || said->name.size() + said->value.size() > cookie_bytes_max) return false;
  const std::string host = lower(from.host);
  const sys_seconds now = now_in_seconds();
  auto made = cookie_of(*said, host, from, now);
  if (!made) return false;
  const std::lock_guard lock(mutex_);
  // A cookie that only TLS may set is not hidden by one of the same name from elsewhere.
  const bool hides = !from.secure && std::any_of(entries_.begin(), entries_.end(), [&](const entry& one) {
    const kept_cookie& kept = one.cookie;
    return kept.secure && kept.name == made->name && is_below(made->path, kept.path) &&
           (is_in_domain(kept.domain, made->domain) || is_in_domain(made->domain, kept.domain));
  });
  if (hides) return false;
  const auto former = std::find_if(entries_.begin(), entries_.end(), [&](const entry& one) {
    return one.cookie.name == made->name && one.cookie.domain == made->domain &&
           one.cookie.host_only == made->host_only && one.cookie.path == made->path;
  });
  if (has_ended(*made, now)) {
    if (former != entries_.end()) entries_.erase(former);
    return true;
  }
  if (former != entries_.end()) {  // and stays as old as it is
    *former = {std::move(*made), ++uses_};
    return true;
  }
  make_room(made->domain, now);
  entries_.push_back({std::move(*made), ++uses_});
  return true;
}

/// The caller has the lock.
void cookie_jar::make_room(const std::string& domain, sys_seconds now) {
  const auto of_domain = [&](const entry& one) { return one.cookie.domain == domain; };
  const auto is_full = [&] {
    return entries_.size() >= options_.cookies_max ||
           static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), of_domain)) >=
               options_.cookies_of_a_domain_max;
  };
  if (!is_full()) return;
  std::erase_if(entries_, [&](const entry& one) { return has_ended(one.cookie, now); });
  while (!entries_.empty() && is_full()) {
    const bool whole = entries_.size() >= options_.cookies_max;
    const auto counts = [&](const entry& one) { return whole || of_domain(one); };
    auto least = std::find_if(entries_.begin(), entries_.end(), counts);
    for (auto at = least; at != entries_.end(); ++at) {
      if (!counts(*at)) continue;
      const bool goes_first = !whole && at->cookie.secure != least->cookie.secure;
      if (goes_first ? least->cookie.secure : at->used < least->used) least = at;
    }
    if (least == entries_.end()) return;
    entries_.erase(least);
  }
}

std::string cookie_jar::cookies_for(const cookie_place& to) {
  const std::string host = lower(to.host);
  const sys_seconds now = now_in_seconds();
  const std::lock_guard lock(mutex_);
  std::vector<const kept_cookie*> sent;
  for (entry& one : entries_) {
    const kept_cookie& kept = one.cookie;
    const bool is_of_host = kept.host_only ? host == kept.domain : is_in_domain(host, kept.domain);
    if (!is_of_host || !is_below(to.path, kept.path) || (kept.secure && !to.secure) || has_ended(kept, now))
      continue;
    one.used = ++uses_;
    sent.push_back(&kept);
  }
  std::stable_sort(sent.begin(), sent.end(), [](const kept_cookie* one, const kept_cookie* other) {
    return one->path.size() > other->path.size();
  });
  std::string text;
  for (const kept_cookie* const one : sent) {
    text.append(text.empty() ? "" : "; ").append(one->name).append("=").append(one->value);
  }
  return text;
}

std::vector<kept_cookie> cookie_jar::all() const {
  const sys_seconds now = now_in_seconds();
  std::vector<kept_cookie> made;
  const std::lock_guard lock(mutex_);
  for (const entry& one : entries_) {
    if (!has_ended(one.cookie, now)) made.push_back(one.cookie);
  }
  return made;
}

void cookie_jar::clear() noexcept {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace weft::inline v1::http
