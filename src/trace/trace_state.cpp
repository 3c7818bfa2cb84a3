#include <weft/trace/trace_state.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <weft/core/error.hpp>

#include "trace/chars.hpp"

namespace weft::inline v1::trace {
namespace {

using detail::is_digit, detail::is_lower;

constexpr std::size_t key_bytes_max = 256;
constexpr std::size_t tenant_bytes_max = 241;
constexpr std::size_t system_bytes_max = 14;
constexpr std::size_t value_bytes_max = 256;
constexpr std::size_t large_member_bytes = 128;

struct member {
  std::string_view key;
  std::string_view value;
  std::size_t bytes() const { return key.size() + 1 + value.size(); }
};

bool has_key_chars(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  });
}

bool is_key(std::string_view key) {
  const auto at = key.find('@');
  const auto tenant = key.substr(0, at);
  if (tenant.empty() || !(is_lower(tenant.front()) || is_digit(tenant.front()))) return false;
  if (at == std::string_view::npos) return key.size() <= key_bytes_max && has_key_chars(key);
  const auto system = key.substr(at + 1);
  return tenant.size() <= tenant_bytes_max && has_key_chars(tenant) && system.size() <= system_bytes_max &&
         !system.empty() && is_lower(system.front()) && has_key_chars(system);
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= value_bytes_max && value.back() != ' ' &&
         std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

/// Of a text that was found right.
std::vector<member> members_of(std::string_view text) {
  std::vector<member> all;
  while (!text.empty()) {
    auto value = detail::take_until(text, ',');
    const auto key = detail::take_until(value, '=');
    all.push_back({key, value});
  }
  return all;
}

void drop_what_is_too_much(std::vector<member>& all) {
  if (all.size() > trace_state::members_max) all.resize(trace_state::members_max);
  std::size_t bytes = all.empty() ? 0 : all.size() - 1;
  for (const auto& one : all) bytes += one.bytes();
  while (bytes > trace_state::bytes_max) {
    const auto large = std::find_if(all.rbegin(), all.rend(),
                                    [](const member& one) { return one.bytes() > large_member_bytes; });
    const auto gone = large == all.rend() ? all.end() - 1 : large.base() - 1;
    bytes -= gone->bytes() + 1;
    all.erase(gone);
  }
}

std::string text_of(const std::vector<member>& all) {
  std::string text;
  for (const auto& one : all) {
    if (!text.empty()) text += ',';
    text.append(one.key).append(1, '=').append(one.value);
  }
  return text;
}

}  // namespace

trace_state::trace_state(std::string text)
    : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}

std::optional<trace_state> trace_state::parse(std::string_view header) {
  std::vector<member> all;
  while (!header.empty()) {
    const auto written = detail::trimmed(detail::take_until(header, ','));
    if (written.empty()) continue;
    const auto equals = written.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const member found{written.substr(0, equals), written.substr(equals + 1)};
    const auto is_same = [&](const member& other) { return other.key == found.key; };
    if (!is_key(found.key) || !is_value(found.value) || all.size() == members_max ||
        std::ranges::any_of(all, is_same)) {
      return std::nullopt;
    }
    all.push_back(found);
  }
  drop_what_is_too_much(all);
  return trace_state(text_of(all));
}

std::optional<std::string_view> trace_state::find(std::string_view key) const noexcept {
  for (auto rest = text(); !rest.empty();) {
    auto value = detail::take_until(rest, ',');
    if (detail::take_until(value, '=') == key) return value;
  }
  return std::nullopt;
}

trace_state trace_state::with(std::string_view key, std::string_view value) const {
  if (!is_key(key) || !is_value(value)) {
    throw error(errc::invalid_argument,
                "trace: set the member \"" + std::string(key) +
                    "\" of tracestate: keys are of a-z, 0-9 and _-*/, values of visible "
                    "characters without comma and =, 1 to 256 of them");
  }
  auto all = members_of(text());
  std::erase_if(all, [&](const member& one) { return one.key == key; });
  all.insert(all.begin(), {key, value});
  drop_what_is_too_much(all);
  return trace_state(text_of(all));
}

trace_state trace_state::without(std::string_view key) const {
  auto all = members_of(text());
  std::erase_if(all, [&](const member& one) { return one.key == key; });
  return trace_state(text_of(all));
}

}  // namespace weft::inline v1::trace
