#include <weft/trace/span_context.hpp>

#include <algorithm>

#include <weft/log/context_source.hpp>

#include "trace/chars.hpp"
#include "trace/export.hpp"

namespace weft::inline v1::trace {
namespace {

constexpr std::size_t traceparent_bytes = 55;  // 2 - 32 - 16 - 2
constexpr std::uint8_t kept_flags = span_context::sampled_flag | span_context::random_flag;
constexpr std::string_view trace_name = "trace_id";
constexpr std::string_view span_name = "span_id";

// Before everything else: what a program started with, and its baggage, could fill the frame.
constexpr key_spec current_spec{
    .name = "weft.trace", .wire = wire_policy::job, .wire_priority = 1'000'000, .sticky = true};

/// Reads lower-case hex digits; false where there is anything else.
bool read_hex(std::string_view digits, std::uint8_t* into) noexcept {
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    const int high = detail::hex_value(digits[at]);
    const int low = detail::hex_value(digits[at + 1]);
    if (high < 0 || low < 0) return false;
    *into++ = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

void add_ids(std::vector<log::context_field>& into) {
  const auto* const now = current();
  if (now == nullptr) return;
  into.push_back({std::string(trace_name), to_string(now->trace)});
  into.push_back({std::string(span_name), to_string(now->span)});
}

}  // namespace

namespace detail {

const key<span_context>& current_key() {
  // Never destroyed: work may be traced during exit.
  static const auto& instance = *[] {
    log::add_context_source(&add_ids);
    export_to_children();
    return new key<span_context>{current_spec};
  }();
  return instance;
}

}  // namespace detail

const span_context* current() noexcept { return detail::current_key().find(); }

context with_current(const context& base, const span_context& now) {
  return base.with(detail::current_key(), now);
}

std::optional<span_context> read_traceparent(std::string_view header) noexcept {
  const auto text = detail::trimmed(header);
  std::uint8_t version = 0;
  if (text.size() < traceparent_bytes || !read_hex(text.substr(0, 2), &version)) return std::nullopt;
  const bool ends_well = text.size() == traceparent_bytes || (version != 0 && text[traceparent_bytes] == '-');
  if (version == 0xff || !ends_well || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  span_context found;
  if (!read_hex(text.substr(3, 32), found.trace.bytes.data()) ||
      !read_hex(text.substr(36, 16), found.span.bytes.data()) ||
      !read_hex(text.substr(53, 2), &found.flags) || !found.is_valid()) {
    return std::nullopt;
  }
  found.flags &= kept_flags;
  found.is_remote = true;
  return found;
}

std::string to_traceparent(const span_context& of) {
  if (!of.is_valid()) return {};
  const char flags = static_cast<char>('0' + (of.flags & kept_flags));
  return "00-" + to_string(of.trace) + "-" + to_string(of.span) + "-0" + flags;
}

}  // namespace weft::inline v1::trace

namespace weft::inline v1 {

std::string context_codec<trace::span_context>::to_text(const trace::span_context& value) {
  std::string text = trace::to_traceparent(value);
  if (!value.state.empty()) text.append(1, ';').append(value.state.text());
  return text;
}

std::optional<trace::span_context> context_codec<trace::span_context>::from_text(std::string_view text) {
  const auto rest = text.substr(std::min(text.size(), trace::traceparent_bytes));
  auto found = trace::read_traceparent(text.substr(0, text.size() - rest.size()));
  if (!found || (!rest.empty() && rest.front() != ';')) return std::nullopt;
  if (!rest.empty()) found->state = trace::trace_state::parse(rest.substr(1)).value_or(trace::trace_state());
  return found;
}

}  // namespace weft::inline v1
