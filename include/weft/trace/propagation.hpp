#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/trace/baggage.hpp>
#include <weft/trace/span_context.hpp>

namespace weft::inline v1::trace {

/// A header of a request that goes out.
struct header {
  std::string name;
  std::string value;
  bool operator==(const header&) const = default;
};

/// Puts together what came with a request: the headers traceparent, tracestate and baggage, in any case,
/// several of a name as if they were one. Others are passed over.
///
/// A traceparent that must be ignored, or more than one, takes tracestate along: a new trace begins. A
/// tracestate that is malformed is dropped alone. One task at a time.
class incoming {
 public:
  incoming& add(std::string_view name, std::string_view value);

  /// The span that the request came from; nothing where a new trace begins.
  std::optional<span_context> parent() const;
  /// `base` with that parent as the current span, or none, and with the baggage that came.
  context on(const context& base) const;

 private:
  std::string traceparent_;
  std::string tracestate_;
  std::string baggage_;
  int traceparents_ = 0;
};

/// A header as libraries have them: with `.name` and `.value`, or a pair.
template <typename Header>
concept named_value = requires(const Header& one) {
  { one.name } -> std::convertible_to<std::string_view>;
  { one.value } -> std::convertible_to<std::string_view>;
};

/// `base` with what the headers of a request bring along: the trace it belongs to and its baggage. Run the
/// request in it: `from_headers(request.headers()).run(handle)`.
template <typename Headers>
context from_headers(const Headers& headers, const context& base = context::capture()) {
  incoming found;
  for (const auto& one : headers) {
    if constexpr (named_value<std::decay_t<decltype(one)>>) {
      found.add(one.name, one.value);
    } else {
      found.add(one.first, one.second);
    }
  }
  return found.on(base);
}

/// The headers that take the trace and the baggage of `of` to another service: those of traceparent,
/// tracestate and baggage that there is something for.
std::vector<header> to_headers(const context& of = context::capture());

/// The same as from_headers, from the variables TRACEPARENT, TRACESTATE and BAGGAGE of the process:
/// for a program that another one has spawned. Once, at its start: `auto here = from_environment().attach();`
/// The way out needs no call: process::program, exec and child::spawn set them for what they start.
context from_environment(const context& base = context::capture());

}  // namespace weft::inline v1::trace
