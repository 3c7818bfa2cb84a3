#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weft/codec/codec.hpp>
#include <weft/wire/json_style.hpp>

namespace weft::inline v1::wire {

class json_value;
struct json_member;

/// The members of a JSON object: one of each name, in the order of their names.
class json_object {
 public:
  json_object() noexcept;
  /// Of members with one name the last one wins.
  explicit json_object(std::vector<json_member> members);
  json_object(std::initializer_list<json_member> members);
  json_object(const json_object&);
  json_object(json_object&&) noexcept;
  json_object& operator=(const json_object&);
  json_object& operator=(json_object&&) noexcept;
  ~json_object();

  /// Null where there is no such member.
  const json_value* find(std::string_view name) const noexcept;
  /// Adds the member, or replaces its value.
  void set(std::string name, json_value value);

  std::size_t size() const noexcept;
  const json_member* begin() const noexcept;
  const json_member* end() const noexcept;
  bool operator==(const json_object&) const noexcept;

 private:
  friend class json_value;

  std::vector<json_member> members_;  // by name
};

/// Any JSON value, for where the type is not known before it comes.
///
/// Integers of 64 bits, signed or unsigned, are exact; a number and the text of a number are two values.
/// Plain data: copied as a whole, compared by content. It can be encoded, so it may stand where any value
/// may: an argument or a result of a worker's function.
class json_value {
 public:
  using list = std::vector<json_value>;

  json_value() noexcept = default;
  json_value(const json_value& other);
  json_value(json_value&&) noexcept = default;
  json_value& operator=(const json_value& other) { return *this = json_value(other); }
  json_value& operator=(json_value&& other) noexcept;
  ~json_value() {
    if (is_container() && size() > 0) take_apart();
  }
  json_value(std::nullptr_t) {}  // NOLINT: all of these convert, so that literals read as JSON
  template <std::same_as<bool> Boolean>
  json_value(Boolean value) : held_(value) {}  // NOLINT
  template <typename Number>
    requires weft::detail::integer<Number>
  json_value(Number value) {  // NOLINT
    if (std::in_range<std::int64_t>(value)) {
      held_ = static_cast<std::int64_t>(value);
    } else {
      held_ = static_cast<std::uint64_t>(value);
    }
  }
  json_value(double value) : held_(value) {}                              // NOLINT
  json_value(std::string value) : held_(std::move(value)) {}              // NOLINT
  json_value(std::string_view value) : held_(std::string(value)) {}       // NOLINT
  json_value(const char* value) : json_value(std::string_view(value)) {}  // NOLINT
  json_value(list value) : held_(std::move(value)) {}                     // NOLINT
  json_value(json_object value) : held_(std::move(value)) {}              // NOLINT

  /// Never value_kind::binary; unsigned_integer only above 2^63-1.
  value_kind kind() const noexcept;
  bool is_null() const noexcept { return held_.index() == 0; }

  // Each is null where the value is of another kind.
  const bool* if_boolean() const noexcept { return std::get_if<bool>(&held_); }
  const std::int64_t* if_integer() const noexcept { return std::get_if<std::int64_t>(&held_); }
  const std::uint64_t* if_unsigned() const noexcept { return std::get_if<std::uint64_t>(&held_); }
  const double* if_number() const noexcept { return std::get_if<double>(&held_); }
  const std::string* if_text() const noexcept { return std::get_if<std::string>(&held_); }
  const list* if_list() const noexcept { return std::get_if<list>(&held_); }
  list* if_list() noexcept { return std::get_if<list>(&held_); }
  const json_object* if_object() const noexcept { return std::get_if<json_object>(&held_); }
  json_object* if_object() noexcept { return std::get_if<json_object>(&held_); }

  bool operator==(const json_value& other) const noexcept;

 private:
  friend class json_object;

  bool is_container() const noexcept { return held_.index() >= 6; }
  std::size_t size() const noexcept;
  json_value& item(std::size_t index) noexcept;
  const json_value& item(std::size_t index) const noexcept;
  void drop_last() noexcept;
  void copy_flat(const json_value& from);
  bool equals_flat(const json_value& other) const noexcept;
  void take_apart() noexcept;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, list, json_object>
      held_;
};

/// A member of an object.
struct json_member {
  std::string name;
  json_value value;
  bool operator==(const json_member&) const = default;
};

/// Lists and objects of a json_value may be nested this deep, as in Perl's JSON.
inline constexpr std::size_t json_depth_max = 512;

/// So many values and names a JSON text of at most `bytes_max` bytes may have; a value takes far more memory
/// than the two bytes that it may be in the text.
constexpr std::size_t json_values_max(std::size_t bytes_max) noexcept {
  constexpr std::size_t few = 64 * 1024;
  return bytes_max / 8 < few ? few : bytes_max / 8;
}

/// The value that the JSON text holds. An integer that 64 bits do not hold becomes the text of its digits,
/// and a fraction too small for a double 0. Throws weft::error: malformed (with the place; also beyond
/// json_depth_max), too_large (over `bytes_max`, or json_values_max of it).
json_value parse_json(std::string_view text, std::size_t bytes_max = std::size_t{16} * 1024 * 1024);

/// `value` as JSON text without white space, to stand inside of `depth` lists and objects. Throws
/// weft::error: invalid_argument for text that is not UTF-8 and numbers that are not finite, too_large beyond
/// json_depth_max.
std::string to_text(const json_value& value, json_style style = {}, std::size_t depth = 0);

/// Reads values of any type from a json_value, which outlives it.
class json_value_decoder final : public decoder {
 public:
  explicit json_value_decoder(const json_value& from, json_style style = {}) : style_(style) {
    open_.push_back({&from, 0});
  }

  value_kind peek() override;
  /// The next value as it is; moves past it.
  const json_value& value();

 protected:
  void read_null() override;
  bool read_boolean() override;
  std::int64_t read_integer() override;
  std::uint64_t read_unsigned() override;
  double read_number() override;
  std::string_view read_text() override;
  void read_binary(bytes& into) override;
  std::size_t open_list() override;
  bool more_items() override;
  void open_object() override;
  bool more_members(std::string_view& name) override;

 private:
  struct place {
    const json_value* of;  // at the bottom the value itself, above it open lists and objects
    std::size_t next;
  };
  const json_value& current() const;

  json_style style_;
  std::vector<place> open_;
};

/// Each byte as one character, U+0000 to U+00FF, in UTF-8; and back: nothing where a character is above that.
std::string to_characters(std::span<const std::byte> data);
std::optional<bytes> from_characters(std::string_view text);

}  // namespace weft::inline v1::wire

/// Travels as what it holds. Read from a form that has bytes, those become characters U+0000 to U+00FF.
template <>
struct weft::codec<weft::wire::json_value> {
  static void encode(encoder& out, const wire::json_value& value);
  static void decode(decoder& in, wire::json_value& into);
  static void schema(schema_writer& out);
};
