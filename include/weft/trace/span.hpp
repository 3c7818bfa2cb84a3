#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/context.hpp>
#include <weft/log/log.hpp>
#include <weft/trace/recorder.hpp>
#include <weft/trace/span_context.hpp>

namespace weft::inline v1::trace {

/// How a span begins.
struct span_options {
  span_kind kind = span_kind::internal;
  bool new_trace = false;                   ///< the first of a trace of its own, whatever is around it
  std::optional<span_context> parent = {};  ///< in place of the span around it
  std::vector<span_context> links = {};     ///< other spans it has to do with
};

namespace detail {
struct running_span;
extern std::atomic<bool> is_recording;
}  // namespace detail

/// A step of the work that is worth to be seen: from its construction to its end.
///
///     trace::span step{"charge card", {{"amount", cents}}};
///
/// It is the current span of its scope: what is started in it, calls included that leave the process, belongs
/// to it, and log records show its ids. It lives in the context, so it survives waits. It ends with its
/// scope; by an exception with the status error.
///
/// Without a recorder it is nothing: one relaxed load, and the span around it stays the current one. Where
/// the trace is not sampled, it has its place in the trace, and nothing of it is kept. At most attributes_max
/// attributes, events and links each are kept, of text text_bytes_max; further ones are counted.
///
/// Used by the task that made it only, LIFO with other scopes.
class [[nodiscard]] span {
 public:
  static constexpr std::size_t attributes_max = 64;
  static constexpr std::size_t events_max = 64;
  static constexpr std::size_t links_max = 64;
  static constexpr std::size_t text_bytes_max = 4096;

  explicit span(std::string_view name, log::arguments attributes = {}, span_options options = {}) {
    if (detail::is_recording.load(std::memory_order_relaxed)) [[unlikely]]
      begin(name, attributes, std::move(options));
  }
  span(const span&) = delete;
  span& operator=(const span&) = delete;
  ~span() {
    if (attached_) end();
  }

  /// Is anything of it kept? Where it is not, there is no need to compute attributes.
  bool is_recording() const noexcept { return running_ != nullptr; }

  /// Sets attributes; a later value of a name replaces the earlier one.
  void set(log::arguments attributes);
  /// Something happened now.
  void event(std::string_view name, log::arguments attributes = {});
  /// Another span has to do with this one. One that is not valid has not.
  void link(const span_context& to, log::arguments attributes = {});
  /// The same with the span of what runs in `other`, if there is one: of an envelope's sender, of a cause().
  void link(const context& other, log::arguments attributes = {});
  /// How it ends. Without it: unset, or error where an exception ends it. A message goes with an error only.
  void status(span_status how, std::string_view message = {});
  /// It failed by that: status error with the message and all causes, and an event `exception`.
  void fail(const std::exception_ptr& thrown) noexcept;

 private:
  void begin(std::string_view name, log::arguments attributes, span_options options);
  void end() noexcept;

  struct deleter {
    void operator()(detail::running_span* one) const noexcept;
  };
  std::unique_ptr<detail::running_span, deleter> running_;  // null: nothing is kept
  std::optional<context::attachment> attached_;             // empty: there was no recorder
};

/// Runs `work` in a span. What it throws is noted in the span, which a scope alone cannot do: type, message
/// and causes. `work` may take the span.
template <typename Work>
decltype(auto) in_span(std::string_view name, log::arguments attributes, span_options options, Work&& work) {
  span here(name, attributes, std::move(options));
  try {
    if constexpr (std::invocable<Work&&, span&>) {
      return std::forward<Work>(work)(here);
    } else {
      return std::forward<Work>(work)();
    }
  } catch (...) {
    here.fail(std::current_exception());
    throw;
  }
}
template <typename Work>
decltype(auto) in_span(std::string_view name, log::arguments attributes, Work&& work) {
  return in_span(name, attributes, span_options(), std::forward<Work>(work));
}
template <typename Work>
decltype(auto) in_span(std::string_view name, Work&& work) {
  return in_span(name, {}, span_options(), std::forward<Work>(work));
}

}  // namespace weft::inline v1::trace
