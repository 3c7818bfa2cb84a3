#pragma once

#include <variant>

#include <weft/codec/value.hpp>

namespace weft::inline v1 {
namespace detail {

template <typename T>
concept tuple_like = requires { std::tuple_size<T>::value; };

template <typename T, typename Indices>
inline constexpr bool encodable_elements = false;
template <typename T, std::size_t... I>
inline constexpr bool encodable_elements<T, std::index_sequence<I...>> =
    (encodable<std::tuple_element_t<I, T>> && ...);

template <typename T>
using indices_of = std::make_index_sequence<std::tuple_size<T>::value>;

// Fewer items than `size` are an error that names the place of the missing one.
void expect_item(decoder& in, std::size_t index, std::size_t size);
void expect_end_of_list(decoder& in, std::size_t size);

}  // namespace detail

/// Pairs, tuples and arrays are lists of exactly their length.
template <detail::tuple_like T>
  requires detail::encodable_elements<T, detail::indices_of<T>>
struct codec<T> {
  static constexpr std::size_t size = std::tuple_size<T>::value;

  static void encode(encoder& out, const T& value) {
    out.begin_list(size);
    each([&]<std::size_t I>() { weft::encode(out, get<I>(value)); });
    out.end_list();
  }
  static void decode(decoder& in, T& into) {
    in.begin_list();
    each([&]<std::size_t I>() {
      detail::expect_item(in, I, size);
      weft::decode_into(in, get<I>(into));
    });
    detail::expect_end_of_list(in, size);
  }
  static void schema(schema_writer& out) {
    out.write("(");
    each([&]<std::size_t I>() {
      if (I > 0) out.write(",");
      codec<std::tuple_element_t<I, T>>::schema(out);
    });
    out.write(")");
  }

 private:
  template <typename Function>
  static void each(Function function) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (function.template operator()<I>(), ...);
    }(detail::indices_of<T>{});
  }
};

template <>
struct codec<std::monostate> {
  static void encode(encoder& out, std::monostate) { out.null(); }
  static void decode(decoder& in, std::monostate&) { in.null(); }
  static void schema(schema_writer& out) { out.write("null"); }
};

/// A variant is [index, value]. Alternatives may be added at the end; their order is the format.
template <encodable... Ts>
struct codec<std::variant<Ts...>> {
  using value_type = std::variant<Ts...>;

  static void encode(encoder& out, const value_type& value) {
    out.begin_list(2);
    out.unsigned_integer(value.index());
    std::visit([&](const auto& held) { weft::encode(out, held); }, value);
    out.end_list();
  }
  static void decode(decoder& in, value_type& into) {
    in.begin_list();
    detail::expect_item(in, 0, 2);
    const std::uint64_t index = detail::decode_unsigned(in, sizeof...(Ts) - 1);
    detail::expect_item(in, 1, 2);
    decode_alternative(in, into, index, std::index_sequence_for<Ts...>{});
    detail::expect_end_of_list(in, 2);
  }
  static void schema(schema_writer& out) {
    out.write("<");
    std::size_t index = 0;
    ((out.write(index++ == 0 ? "" : "|"), codec<Ts>::schema(out)), ...);
    out.write(">");
  }

 private:
  template <std::size_t... I>
  static void decode_alternative(decoder& in, value_type& into, std::uint64_t index,
                                 std::index_sequence<I...>) {
    (void)((index == I && (weft::decode_into(in, into.template emplace<I>()), true)) || ...);
  }
};

}  // namespace weft::inline v1
