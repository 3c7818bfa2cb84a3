#include "http/middleware_list.hpp"

#include <optional>
#include <utility>

#include <weft/core/error.hpp>

#include "http/path_segments.hpp"

namespace weft::inline v1::http {

void next::use_up() {
  if (used_) throw error(errc::misuse, "http: a middleware called next a second time");
  used_ = true;
}

namespace detail {

namespace {

/// As routes are found: /%61dmin is /admin, or else the middleware that asks for a password were passed by.
bool is_segment(std::string_view raw, const std::string& wanted) {
  if (wanted.empty()) return !raw.empty();
  if (raw.find('%') == std::string_view::npos) return raw == wanted;
  return percent_decode(raw) == wanted;
}

bool begins_with(std::string_view path, const std::vector<std::string>& segments) {
  if (!path.starts_with('/')) return segments.empty();
  for (const std::string& one : segments) {
    if (path.empty() || !is_segment(take_segment(path), one)) return false;
  }
  return true;
}

}  // namespace

void middleware_list::add(std::string_view prefix, middleware work) {
  const auto refuse = [prefix](const char* why) {
    throw error(errc::invalid_argument,
                "http: middleware for \"" + std::string(prefix) + "\": " + std::string(why));
  };
  if (!prefix.empty() && !prefix.starts_with('/')) refuse("the prefix does not begin with '/'");
  entry added;
  for (std::string_view left = prefix; !left.empty() && left != "/";) {
    const std::string_view segment = take_segment(left);
    if (segment.starts_with('{') && segment.ends_with('}') && !segment.ends_with("...}")) {
      added.segments.emplace_back();
      continue;
    }
    if (segment.empty()) refuse("an empty segment");
    if (segment.find_first_of("{}%?#") != std::string_view::npos)
      refuse("a segment is {name}, or text without %, ? and #; what follows is covered without {name...}");
    added.segments.emplace_back(segment);
  }
  added.work = std::move(work);
  entries_.push_back(std::move(added));
}

void middleware_list::find(std::string_view path, std::vector<middleware*>& into) {
  for (entry& one : entries_) {
    if (begins_with(path, one.segments)) into.push_back(&one.work);
  }
}

}  // namespace detail
}  // namespace weft::inline v1::http
