#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace weft::inline v1 {

/// How far a context value may travel beyond its process. Each level includes the ones before it.
enum class wire_policy : unsigned char {
  none,     ///< stays in the process (default)
  worker,   ///< to worker processes
  job,      ///< to worker processes and with durable jobs
  baggage,  ///< as job, and in the W3C baggage header of outgoing requests
};

/// Does a value go along to what is started under it?
enum class key_flow : unsigned char {
  inherit,  ///< to fibers, pools, timers and continuations (default)
  local,    ///< no: only the task that bound it sees it
};

/// Why an observer of a key is called.
enum class context_change : unsigned char {
  set,       ///< a scope or assign() bound it
  restore,   ///< a scope ended
  switched,  ///< another context, or another fiber, goes on on this thread
};

/// Ends `value` by `destroy(value)`, now or later, on a thread of its choice.
using destroy_elsewhere = void (*)(void (*destroy)(void* value) noexcept, void* value) noexcept;

/// The declaration of a context key; static storage, one per name in a program.
struct key_spec {
  std::string_view name;  ///< `[a-z0-9_.-]{1,128}`, first label owns the namespace, `weft.` is reserved
  wire_policy wire = wire_policy::none;  ///< how far it travels
  bool log = false;                      ///< shown in every log record
  bool redact = false;                   ///< printed as *** in logs and dumps; refused with baggage
  int wire_priority = 0;                 ///< over the size limit of a hop, lower ones are left out first
  key_flow flow = key_flow::inherit;     ///< does it go along to what is started under it?
  bool sticky = false;                   ///< goes along even where suppress_flow is in force
  bool hot = false;                      ///< read in one step, however deep; one key of a program may be
  /// Where values of more than eight bytes end; null: on the thread that drops the last reference.
  destroy_elsewhere destroy_on = nullptr;
};

/// Text form of a context value: for other processes and for logs. Specialise for own types with
/// `static std::string to_text(const Value&)` and `static std::optional<Value> from_text(std::string_view)`;
/// from_text gives nothing for a text it cannot read, and the key is then absent.
template <typename Value>
struct context_codec;

template <typename Value>
concept context_encodable = requires(const Value& value, std::string_view text) {
  { context_codec<Value>::to_text(value) } -> std::convertible_to<std::string>;
  { context_codec<Value>::from_text(text) } -> std::same_as<std::optional<Value>>;
};

template <>
struct context_codec<std::string> {
  static std::string to_text(const std::string& value);
  static std::optional<std::string> from_text(std::string_view text);
};

template <>
struct context_codec<bool> {
  static std::string to_text(bool value);
  static std::optional<bool> from_text(std::string_view text);
};

template <typename Number>
  requires(std::integral<Number> || std::floating_point<Number>)
struct context_codec<Number> {
  static std::string to_text(Number value) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return std::string(buffer, end.ptr);
  }
  static std::optional<Number> from_text(std::string_view text) {
    Number value{};
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return value;
  }
};

template <typename Enum>
  requires std::is_enum_v<Enum>
struct context_codec<Enum> {
  using number = context_codec<std::underlying_type_t<Enum>>;
  static std::string to_text(Enum value) {
    return number::to_text(static_cast<std::underlying_type_t<Enum>>(value));
  }
  static std::optional<Enum> from_text(std::string_view text) {
    const auto value = number::from_text(text);
    return value ? std::optional<Enum>(static_cast<Enum>(*value)) : std::nullopt;
  }
};

/// Microseconds since 1970, as a number.
template <>
struct context_codec<std::chrono::system_clock::time_point> {
  using time = std::chrono::system_clock::time_point;
  static std::string to_text(time value);
  static std::optional<time> from_text(std::string_view text);
};

}  // namespace weft::inline v1
