#include <weft/http/conditional.hpp>

#include <weft/core/error.hpp>

#include "http/chars.hpp"
#include "http/http_date.hpp"

namespace weft::inline v1::http {

namespace {

bool is_tag_byte(char one) noexcept {
  const auto byte = static_cast<unsigned char>(one);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/// Takes a tag off the front of `list`.
std::optional<entity_tag> take_tag(std::string_view& list) {
  entity_tag tag;
  if (list.starts_with("W/")) {
    tag.is_weak = true;
    list.remove_prefix(2);
  }
  if (!list.starts_with('"')) return std::nullopt;
  const std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  tag.text = list.substr(1, end - 1);
  list.remove_prefix(end + 1);
  for (const char one : tag.text) {
    if (!is_tag_byte(one)) return std::nullopt;
  }
  return tag;
}

/// Does the list, which may be "*", have what `now` is?
template <typename Same>
bool list_has(std::string_view list, const validators& now, Same same) {
  list = detail::trim_blanks(list);
  if (list == "*") return now.exists;
  bool found = false;
  while (!list.empty()) {
    if (list.front() == ',' || detail::is_blank(list.front())) {
      list.remove_prefix(1);
      continue;
    }
    const std::optional<entity_tag> one = take_tag(list);
    if (!one) return false;
    found |= now.exists && now.tag && same(*one, *now.tag);
    list = detail::trim_blanks(list);
    if (!list.empty() && list.front() != ',') return false;
  }
  return found;
}

/// All fields of that name as one list; nothing where there is none.
std::optional<std::string> joined(const request& in, std::string_view name) {
  std::optional<std::string> all;
  for (const header& field : in.headers()) {
    if (!same_name(field.name, name)) continue;
    if (!all) {
      all.emplace(field.value);
    } else {
      all->append(",").append(field.value);
    }
  }
  return all;
}

std::optional<std::chrono::sys_seconds> date_in(const request& in, std::string_view name) {
  const std::optional<std::string_view> text = in.header(name);
  return text ? detail::parse_http_date(*text) : std::nullopt;
}

}  // namespace

std::string to_string(const entity_tag& tag) {
  for (const char one : tag.text) {
    if (!is_tag_byte(one))
      throw error(errc::invalid_argument, "http: \"" + tag.text + "\" is no text of an entity tag");
  }
  return (tag.is_weak ? "W/\"" : "\"") + tag.text + '"';
}

std::optional<entity_tag> parse_entity_tag(std::string_view text) {
  std::optional<entity_tag> tag = take_tag(text);
  return text.empty() ? tag : std::nullopt;
}

bool is_same_bytes(const entity_tag& one, const entity_tag& other) noexcept {
  return !one.is_weak && !other.is_weak && one.text == other.text;
}
bool is_same_state(const entity_tag& one, const entity_tag& other) noexcept { return one.text == other.text; }

precondition check_preconditions(const request& in, const validators& now) {
  const bool reads = in.method() == "GET" || in.method() == "HEAD";
  if (const auto wanted = joined(in, "If-Match")) {
    if (!list_has(*wanted, now, is_same_bytes)) return precondition::failed;
  } else if (const auto since = date_in(in, "If-Unmodified-Since"); since && now.exists) {
    if (now.modified && *now.modified > *since) return precondition::failed;
  }
  if (const auto unwanted = joined(in, "If-None-Match")) {
    if (list_has(*unwanted, now, is_same_state))
      return reads ? precondition::not_modified : precondition::failed;
  } else if (const auto since = date_in(in, "If-Modified-Since"); since && reads && now.exists) {
    if (now.modified && *now.modified <= *since) return precondition::not_modified;
  }
  return precondition::holds;
}

}  // namespace weft::inline v1::http
