#include "http/parameters.hpp"

#include <algorithm>

#include <weft/http/header.hpp>

#include "http/chars.hpp"

namespace weft::inline v1::http::detail {

namespace {

constexpr std::size_t looked_through_max = 16;  // parameters

/// Takes a quoted text off `left`, which begins with its first quote; false without the last one.
bool take_quoted(std::string_view& left, std::string& into) {
  for (std::size_t at = 1; at < left.size(); ++at) {
    if (left[at] == '"') {
      left.remove_prefix(at + 1);
      return true;
    }
    const bool is_escape =
        left[at] == '\\' && at + 1 < left.size() && (left[at + 1] == '"' || left[at + 1] == '\\');
    if (is_escape) ++at;
    into += left[at];
  }
  return false;
}

bool take_value(std::string_view& left, std::string& into) {
  if (left.starts_with('"')) return take_quoted(left, into);
  const std::size_t end = std::min(left.find_first_of("; \t"), left.size());
  into.assign(left.substr(0, end));
  left.remove_prefix(end);
  return token_bytes.spells(into);
}

}  // namespace

const std::string* parameterized::find(std::string_view name) const noexcept {
  for (const auto& [own, its_value] : parameters) {
    if (same_name(own, name)) return &its_value;
  }
  return nullptr;
}

std::optional<parameterized> parse_parameters(std::string_view text) {
  parameterized got;
  const std::size_t first = std::min(text.find(';'), text.size());
  got.value = trim_blanks(text.substr(0, first));
  text.remove_prefix(first);
  while (!(text = trim_blanks(text)).empty()) {
    if (text.front() != ';') return std::nullopt;
    text = trim_blanks(text.substr(1));
    const std::size_t end = std::min(text.find_first_of("=; \t"), text.size());
    const std::string_view name = text.substr(0, end);
    if (!token_bytes.spells(name) || got.find(name) != nullptr) return std::nullopt;
    if (got.parameters.size() == looked_through_max) return std::nullopt;
    text.remove_prefix(end);
    std::string value;
    if (text.starts_with('=')) {
      text.remove_prefix(1);
      if (!take_value(text, value)) return std::nullopt;
    }
    got.parameters.emplace_back(name, std::move(value));
  }
  return got;
}

}  // namespace weft::inline v1::http::detail
