#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <weft/core/error.hpp>

namespace weft::inline v1::http {

namespace detail {

template <typename Value>
concept has_parse = requires(std::string_view text) {
  { Value::parse(text) } -> std::convertible_to<std::optional<Value>>;
};

template <typename Value>
std::optional<Value> from_text(std::string_view text) {
  if constexpr (std::is_same_v<Value, bool>) {
    if (text == "true" || text == "1" || text == "on") return true;  // "on": a box that is ticked
    if (text == "false" || text == "0" || text == "off") return false;
    return std::nullopt;
  } else if constexpr (std::is_arithmetic_v<Value>) {
    Value value{};
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stop != end) return std::nullopt;
    return value;
  } else if constexpr (std::is_same_v<Value, std::string>) {
    return Value(text);
  } else {
    try {
      if constexpr (has_parse<Value>) {
        return Value::parse(text);
      } else {
        return Value(text);
      }
    } catch (const error& unfit) {
      if (unfit.code() != errc::invalid_argument && unfit.code() != errc::malformed) throw;
      return std::nullopt;
    }
  }
}

[[noreturn]] void throw_bad_parameter(std::string_view name, std::string_view text);

/// The value, or 400 that names it.
template <typename Value>
Value require_value(std::string_view name, std::string_view text) {
  std::optional<Value> value = from_text<Value>(text);
  if (!value) throw_bad_parameter(name, text);
  return std::move(*value);
}

}  // namespace detail

/// A value that a piece of text in a request can be read as: a number, a bool, text, or a class that is made
/// from a std::string_view by `static parse` or its constructor. Text that is no such value is told by an
/// empty optional, or by a weft::error with invalid_argument or malformed.
template <typename Value>
concept text_readable = std::is_arithmetic_v<Value> || std::constructible_from<Value, std::string_view> ||
                        detail::has_parse<Value>;

}  // namespace weft::inline v1::http
