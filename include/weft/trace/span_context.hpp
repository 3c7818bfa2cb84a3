#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weft/context/context.hpp>
#include <weft/trace/ids.hpp>
#include <weft/trace/trace_state.hpp>

namespace weft::inline v1::trace {

/// A place in a trace: what a span gives to what it starts, here or elsewhere. Plain data.
struct span_context {
  static constexpr std::uint8_t sampled_flag = 1;  ///< somebody records this trace
  static constexpr std::uint8_t random_flag = 2;   ///< the trace id is random in its last 7 bytes

  trace_id trace{};
  span_id span{};
  std::uint8_t flags = 0;
  bool is_remote = false;  ///< came from another process
  trace_state state{};     ///< what tracing systems keep with the trace

  bool is_valid() const noexcept { return trace && span; }
  bool is_sampled() const noexcept { return (flags & sampled_flag) != 0; }
  bool operator==(const span_context&) const = default;
};

/// The span around the running task; null if there is none. It follows the work as all of the context
/// does: to fibers, pools, worker calls and jobs. Valid until the frame that was current ends.
const span_context* current() noexcept;

/// `base` with `now` as the span that is around everything that runs in it.
context with_current(const context& base, const span_context& now);

/// Of the text of the W3C header traceparent. Nothing for one that must be ignored: of version 00 any but
/// exactly 55 characters, upper case, a trace or span id of zeros, version ff. A higher version is read as
/// far as version 00 goes. Only the flags above are kept. Blanks around it are no part of it.
std::optional<span_context> read_traceparent(std::string_view header) noexcept;

/// The header's text, always of version 00; empty where `of` is not valid.
std::string to_traceparent(const span_context& of);

namespace detail {
/// Where the context keeps it.
const key<span_context>& current_key();
/// A program that knows of traces reads those that come to it, from its start.
inline const key<span_context>& registered_current_key = current_key();
}  // namespace detail

}  // namespace weft::inline v1::trace

/// On the way to a worker or with a job: traceparent, and after a `;` tracestate where there is one.
template <>
struct weft::context_codec<weft::trace::span_context> {
  static std::string to_text(const weft::trace::span_context& value);
  static std::optional<weft::trace::span_context> from_text(std::string_view text);
};
