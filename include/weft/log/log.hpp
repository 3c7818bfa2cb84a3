#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <weft/log/level.hpp>
#include <weft/log/record.hpp>

namespace weft::inline v1::log {

/// A field as it is given to a log call: a name and a string, a number, a bool or a json_text, by reference.
/// Nothing is copied where the level is off.
class argument {
 public:
  argument(std::string_view name, std::string_view value) noexcept : name_(name), value_(value) {}
  argument(std::string_view name, const std::string& value) noexcept
      : argument(name, std::string_view(value)) {}
  argument(std::string_view name, const char* value) noexcept : argument(name, std::string_view(value)) {}
  /// A structure, as JSON text.
  argument(std::string_view name, const json_text& value) noexcept
      : name_(name), value_(structure{value.text}) {}
  template <typename Number>
    requires std::is_arithmetic_v<Number>
  argument(std::string_view name, Number value) noexcept : name_(name), value_(widen(value)) {}

  std::string_view name() const noexcept { return name_; }
  /// An owning copy.
  field to_field() const;

 private:
  struct structure {
    std::string_view text;
  };
  using held = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool, structure>;
  template <typename Number>
  static held widen(Number value) noexcept {
    if constexpr (std::is_same_v<Number, bool>) {
      return value;
    } else if constexpr (std::is_floating_point_v<Number>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_unsigned_v<Number>) {
      return static_cast<std::uint64_t>(value);
    } else {
      return static_cast<std::int64_t>(value);
    }
  }

  std::string_view name_;
  held value_;
};

/// The fields of one log call, `{{"to", address}, {"bytes", n}}`.
using arguments = std::initializer_list<argument>;

/// A message with the place it was written at; made by itself from a string.
struct text {
  template <typename String>
    requires std::convertible_to<const String&, std::string_view>
  text(const String& what, std::source_location written = std::source_location::current()) noexcept  // NOLINT
      : message(what), where(written) {}
  std::string_view message;
  std::source_location where;
};

/// A callable that makes a message: it is only called where the level is on.
template <typename Make>
concept makes_message =
    std::invocable<Make&> && std::convertible_to<std::invoke_result_t<Make&>, std::string>;

/// Would a record of that level be kept, here and now? One relaxed load where the answer is no.
bool enabled(level of) noexcept;

/// Writes a record with the context of the running task: to the collector in force, else to the sinks.
/// Never waits and never throws: what cannot be kept is counted. Any thread or fiber.
void write(level of, const text& what, arguments fields = {}) noexcept;

// The same by level. The first argument is a string, or a callable that makes one.
inline void debug(const text& what, arguments fields = {}) noexcept { write(level::debug, what, fields); }
inline void info(const text& what, arguments fields = {}) noexcept { write(level::info, what, fields); }
inline void warn(const text& what, arguments fields = {}) noexcept { write(level::warn, what, fields); }
inline void error(const text& what, arguments fields = {}) noexcept { write(level::error, what, fields); }
inline void critical(const text& what, arguments fields = {}) noexcept {
  write(level::critical, what, fields);
}

/// Calls `make` for the message, where the level is on. What `make` throws is thrown here.
template <makes_message Make>
void write(level of, Make&& make, arguments fields = {},
           std::source_location where = std::source_location::current()) {
  if (!enabled(of)) return;
  const std::string made = make();
  write(of, text(made, where), fields);
}
template <makes_message Make>
void debug(Make&& make, arguments fields = {}, std::source_location where = std::source_location::current()) {
  write(level::debug, std::forward<Make>(make), fields, where);
}
template <makes_message Make>
void info(Make&& make, arguments fields = {}, std::source_location where = std::source_location::current()) {
  write(level::info, std::forward<Make>(make), fields, where);
}
template <makes_message Make>
void warn(Make&& make, arguments fields = {}, std::source_location where = std::source_location::current()) {
  write(level::warn, std::forward<Make>(make), fields, where);
}
template <makes_message Make>
void error(Make&& make, arguments fields = {}, std::source_location where = std::source_location::current()) {
  write(level::error, std::forward<Make>(make), fields, where);
}
template <makes_message Make>
void critical(Make&& make, arguments fields = {},
              std::source_location where = std::source_location::current()) {
  write(level::critical, std::forward<Make>(make), fields, where);
}

/// Writes what was thrown: the whole chain of causes, its code and its type as fields. For the edges
/// that end an error's way, such as the uncaught handler of a fiber or a pool.
void write_exception(level of, const text& what, const std::exception_ptr& thrown,
                     arguments fields = {}) noexcept;

/// Takes a record that was written elsewhere, by a worker or in an attempt, as it is: into the
/// collector in force, else to the sinks.
void emit(record from) noexcept;

/// The same with a whole log: its records, and, where a collector is in force, its timers and data.
void emit(collection from) noexcept;

}  // namespace weft::inline v1::log
