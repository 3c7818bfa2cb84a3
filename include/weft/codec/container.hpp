#pragma once

#include <algorithm>
#include <vector>

#include <weft/codec/value.hpp>

// Containers, by their shape rather than by name, so that this header includes none of them: vectors,
// deques and lists; sets; maps. A set or map without an order is written sorted, so that equal values
// give equal bytes.

namespace weft::inline v1 {
namespace detail {

template <typename T>
concept list_like = requires(T& list, typename T::value_type item) {
  list.push_back(std::move(item));
  list.clear();
  list.begin();
  list.size();
} && !requires { typename T::traits_type; };  // not a string

template <typename T>
concept set_like = requires(T& set, typename T::key_type item) {
  set.insert(std::move(item)).second;
  set.clear();
} && !requires { typename T::mapped_type; };

template <typename T>
concept map_like = requires(T& map, typename T::key_type key) {
  typename T::mapped_type;
  map.try_emplace(std::move(key)).second;
  map.clear();
};

template <typename T>
concept unordered = requires { typename T::hasher; };

/// Calls `write` for each element: in the container's order, or sorted by `key_of` where it has none.
template <typename Container, typename KeyOf, typename Write>
void for_each_sorted(const Container& container, KeyOf key_of, Write write) {
  if constexpr (unordered<Container>) {
    std::vector<const typename Container::value_type*> sorted;
    sorted.reserve(container.size());
    for (const auto& item : container) sorted.push_back(&item);
    std::sort(sorted.begin(), sorted.end(), [&](auto* a, auto* b) { return key_of(*a) < key_of(*b); });
    for (const auto* item : sorted) write(*item);
  } else {
    for (const auto& item : container) write(item);
  }
}

}  // namespace detail

template <detail::list_like T>
  requires(encodable<typename T::value_type> && !std::is_same_v<T, bytes>)
struct codec<T> {
  using value_type = typename T::value_type;
  static void encode(encoder& out, const T& value) {
    out.begin_list(value.size());
    for (const auto& item : value) codec<value_type>::encode(out, item);
    out.end_list();
  }
  static void decode(decoder& in, T& into) {
    into.clear();
    const std::size_t count = in.begin_list();
    if constexpr (requires { into.reserve(count); }) into.reserve(count);
    while (in.next_item()) {
      value_type item{};
      codec<value_type>::decode(in, item);
      into.push_back(std::move(item));
    }
  }
  static void schema(schema_writer& out) {
    out.write("[");
    codec<value_type>::schema(out);
    out.write("]");
  }
};

template <detail::set_like T>
  requires encodable<typename T::key_type>
struct codec<T> {
  using key_type = typename T::key_type;
  static void encode(encoder& out, const T& value) {
    out.begin_list(value.size());
    detail::for_each_sorted(
        value, [](const key_type& key) -> const key_type& { return key; },
        [&](const key_type& key) { codec<key_type>::encode(out, key); });
    out.end_list();
  }
  static void decode(decoder& in, T& into) {
    into.clear();
    in.begin_list();
    while (in.next_item()) {
      key_type key{};
      codec<key_type>::decode(in, key);
      if (!into.insert(std::move(key)).second) in.fail("occurs twice in a set");
    }
  }
  static void schema(schema_writer& out) {
    out.write("[");
    codec<key_type>::schema(out);
    out.write("]");
  }
};

/// A map with text keys is an object, whose last member of a name wins when read.
template <detail::map_like T>
  requires(std::is_same_v<typename T::key_type, std::string> && encodable<typename T::mapped_type>)
struct codec<T> {
  using mapped_type = typename T::mapped_type;
  static void encode(encoder& out, const T& value) {
    out.begin_object(value.size());
    detail::for_each_sorted(
        value, [](const auto& item) -> const std::string& { return item.first; },
        [&](const auto& item) {
          out.key(item.first);
          codec<mapped_type>::encode(out, item.second);
        });
    out.end_object();
  }
  static void decode(decoder& in, T& into) {
    into.clear();
    in.begin_object();
    std::string_view name;
    while (in.next_member(name)) codec<mapped_type>::decode(in, into[std::string(name)]);
  }
  static void schema(schema_writer& out) {
    out.write("{*:");
    codec<mapped_type>::schema(out);
    out.write("}");
  }
};

/// A map with other keys is a list of [key, value], where a key that occurs twice is an error.
template <detail::map_like T>
  requires(!std::is_same_v<typename T::key_type, std::string> && encodable<typename T::key_type> &&
           encodable<typename T::mapped_type>)
struct codec<T> {
  using key_type = typename T::key_type;
  using mapped_type = typename T::mapped_type;
  static void encode(encoder& out, const T& value) {
    out.begin_list(value.size());
    detail::for_each_sorted(
        value, [](const auto& item) -> const key_type& { return item.first; },
        [&](const auto& item) {
          out.begin_list(2);
          codec<key_type>::encode(out, item.first);
          codec<mapped_type>::encode(out, item.second);
          out.end_list();
        });
    out.end_list();
  }
  static void decode(decoder& in, T& into) {
    into.clear();
    in.begin_list();
    while (in.next_item()) decode_pair(in, into);
  }
  static void schema(schema_writer& out) {
    out.write("[(");
    codec<key_type>::schema(out);
    out.write(",");
    codec<mapped_type>::schema(out);
    out.write(")]");
  }

 private:
  static void decode_pair(decoder& in, T& into) {
    in.begin_list();
    if (!in.next_item()) in.fail("expected [key, value], found an empty list");
    key_type key{};
    codec<key_type>::decode(in, key);
    const auto [place, fresh] = into.try_emplace(std::move(key));
    if (!fresh) in.fail("this key occurs twice");
    if (!in.next_item()) in.fail("expected [key, value], found only a key");
    codec<mapped_type>::decode(in, place->second);
    if (in.next_item()) in.fail("expected [key, value], found more");
  }
};

}  // namespace weft::inline v1
