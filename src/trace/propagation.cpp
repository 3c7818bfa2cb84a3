#include <weft/trace/propagation.hpp>

#include <algorithm>
#include <cstdlib>

#include <weft/context/environment.hpp>

#include "trace/export.hpp"

namespace weft::inline v1::trace {
namespace {

struct carrier {
  std::string_view header;  // in lower case
  const char* variable;
};

constexpr carrier traceparent{"traceparent", "TRACEPARENT"};
constexpr carrier tracestate{"tracestate", "TRACESTATE"};
constexpr carrier baggage{"baggage", "BAGGAGE"};

bool is_named(std::string_view name, const carrier& as) noexcept {
  return std::ranges::equal(name, as.header, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

void append_to_list(std::string& list, std::string_view more) {
  if (!list.empty()) list += ',';
  list += more;
}

/// For the children of this process.
void add_variables(const context& of, std::vector<environment_variable>& into) {
  const auto headers = to_headers(of);
  if (headers.empty()) return;
  // All three: what this process was started with does not belong to another trace.
  for (const auto& one : {traceparent, tracestate, baggage}) {
    const auto found = std::ranges::find(headers, one.header, &header::name);
    into.push_back({one.variable, found == headers.end() ? std::nullopt : std::optional(found->value)});
  }
}

}  // namespace

namespace detail {

void export_to_children() { add_environment_source(&add_variables); }

}  // namespace detail

incoming& incoming::add(std::string_view name, std::string_view value) {
  if (is_named(name, traceparent)) {
    traceparent_ = value;
    ++traceparents_;
  } else if (is_named(name, tracestate)) {
    append_to_list(tracestate_, value);
  } else if (is_named(name, baggage)) {
    append_to_list(baggage_, value);
  }
  return *this;
}

std::optional<span_context> incoming::parent() const {
  if (traceparents_ != 1) return std::nullopt;
  auto found = read_traceparent(traceparent_);
  if (found) found->state = trace_state::parse(tracestate_).value_or(trace_state());
  return found;
}

context incoming::on(const context& base) const {
  const auto came_from = parent();
  const context traced = came_from ? with_current(base, *came_from) : base.without(detail::current_key());
  return with_baggage(traced, read_baggage(baggage_));
}

std::vector<header> to_headers(const context& of) {
  std::vector<header> all;
  const auto add = [&](const carrier& one, std::string value) {
    if (!value.empty()) all.push_back({std::string(one.header), std::move(value)});
  };
  if (const auto* const now = of.find(detail::current_key())) {
    add(traceparent, to_traceparent(*now));
    add(tracestate, std::string(now->state.text()));
  }
  add(baggage, to_header(current_baggage(of)));
  return all;
}

context from_environment(const context& base) {
  incoming found;
  for (const auto& one : {traceparent, tracestate, baggage}) {
    const char* const value = std::getenv(one.variable);  // NOLINT(concurrency-mt-unsafe): nobody changes it
    if (value != nullptr) found.add(one.header, value);
  }
  return found.on(base);
}

}  // namespace weft::inline v1::trace
