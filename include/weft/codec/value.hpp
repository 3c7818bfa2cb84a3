#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weft/codec/bytes.hpp>
#include <weft/codec/decoder.hpp>
#include <weft/codec/encoder.hpp>
#include <weft/codec/schema.hpp>

namespace weft::inline v1 {

/// How values of type T are written and read. Specialise it for a type of your own:
///
///     template <> struct weft::codec<money> {
///       static void encode(weft::encoder& out, const money& value);
///       static void decode(weft::decoder& in, money& into);
///       static void schema(weft::schema_writer& out);
///     };
///
/// For plain structs WEFT_DESCRIBE (describe.hpp) writes it. Reading never loses anything: what does
/// not fit the type exactly is an error.
template <typename T>
struct codec;

/// Can values of this type be written down and read again?
template <typename T>
concept encodable = requires { sizeof(codec<std::remove_cv_t<T>>); };

/// Writes `value`.
template <encodable T>
void encode(encoder& out, const T& value) {
  codec<T>::encode(out, value);
}

/// Reads the next value over `into`. After an error `into` is valid but unspecified.
template <encodable T>
void decode_into(decoder& in, T& into) {
  codec<T>::decode(in, into);
}

/// Reads the next value.
template <encodable T>
T decode(decoder& in) {
  T value{};
  codec<T>::decode(in, value);
  return value;
}

/// The schema text of T, e.g. `{id:i64,mail:str?}`: equal texts accept each other's values.
template <encodable T>
std::string schema_text() {
  schema_writer out;
  codec<std::remove_cv_t<T>>::schema(out);
  return out.take();
}

/// May this type be missing where it is asked for? True for std::optional.
template <typename T>
inline constexpr bool may_be_missing = false;
template <typename T>
inline constexpr bool may_be_missing<std::optional<T>> = true;

namespace detail {

// One address a type.
template <typename T>
inline constexpr char type_tag = 0;

template <typename T>
concept character = std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> ||
                    std::is_same_v<T, char32_t>;

template <typename T>
concept integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !character<T> && sizeof(T) <= 8;

template <typename T>
concept enumeration = std::is_enum_v<T>;

std::int64_t decode_signed(decoder& in, std::int64_t min, std::int64_t max);
std::uint64_t decode_unsigned(decoder& in, std::uint64_t max);
float decode_float(decoder& in);

constexpr std::string_view integer_name(bool is_signed, std::size_t size) {
  constexpr std::string_view names[] = {"i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"};
  return names[(is_signed ? 0 : 4) + (size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3)];
}

}  // namespace detail

template <>
struct codec<bool> {
  static void encode(encoder& out, bool value) { out.boolean(value); }
  static void decode(decoder& in, bool& into) { into = in.boolean(); }
  static void schema(schema_writer& out) { out.write("bool"); }
};

template <detail::integer T>
struct codec<T> {
  static void encode(encoder& out, T value) {
    if constexpr (std::is_signed_v<T>) {
      out.integer(value);
    } else {
      out.unsigned_integer(value);
    }
  }
  static void decode(decoder& in, T& into) {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_signed_v<T>) {
      into = static_cast<T>(detail::decode_signed(in, limits::min(), limits::max()));
    } else {
      into = static_cast<T>(detail::decode_unsigned(in, limits::max()));
    }
  }
  static void schema(schema_writer& out) { out.write(detail::integer_name(std::is_signed_v<T>, sizeof(T))); }
};

template <>
struct codec<double> {
  static void encode(encoder& out, double value) { out.number(value); }
  static void decode(decoder& in, double& into) { into = in.number(); }
  static void schema(schema_writer& out) { out.write("f64"); }
};

template <>
struct codec<float> {
  static void encode(encoder& out, float value) { out.number(value); }
  static void decode(decoder& in, float& into) { into = detail::decode_float(in); }
  static void schema(schema_writer& out) { out.write("f32"); }
};

template <>
struct codec<std::string> {
  static void encode(encoder& out, std::string_view value) { out.text(value); }
  static void decode(decoder& in, std::string& into) { into = in.text(); }
  static void schema(schema_writer& out) { out.write("str"); }
};

template <>
struct codec<bytes> {
  static void encode(encoder& out, const bytes& value) { out.binary(value); }
  static void decode(decoder& in, bytes& into) { in.binary(into); }
  static void schema(schema_writer& out) { out.write("bytes"); }
};

/// An enumeration travels as its number; WEFT_DESCRIBE_ENUM (describe.hpp) makes it travel by name.
template <detail::enumeration T>
struct codec<T> {
  using number = std::underlying_type_t<T>;
  static void encode(encoder& out, T value) { codec<number>::encode(out, static_cast<number>(value)); }
  static void decode(decoder& in, T& into) {
    number value{};
    codec<number>::decode(in, value);
    into = static_cast<T>(value);
  }
  static void schema(schema_writer& out) { codec<number>::schema(out); }
};

/// Empty is null; so an optional of an optional has no form and is not encodable.
template <encodable T>
  requires(!may_be_missing<T>)
struct codec<std::optional<T>> {
  static void encode(encoder& out, const std::optional<T>& value) {
    if (value) {
      codec<T>::encode(out, *value);
    } else {
      out.null();
    }
  }
  static void decode(decoder& in, std::optional<T>& into) {
    into.reset();
    if (in.peek() == value_kind::null) {
      in.null();
    } else {
      codec<T>::decode(in, into.emplace());
    }
  }
  static void schema(schema_writer& out) {
    codec<T>::schema(out);
    out.write("?");
  }
};

}  // namespace weft::inline v1
