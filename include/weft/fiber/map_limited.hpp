#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/core/holds_exception.hpp>
#include <weft/core/result.hpp>
#include <weft/core/unwinding.hpp>
#include <weft/fiber/scope.hpp>

// A function over the elements of a range, a fiber for each element and at most `width` at once. All of
// it is structured: when a call returns or throws, none of its fibers is left.
//
// `function` is one object, called from several fibers at once, and from several threads where the run has
// several loops. Elements of a forward range of references are passed by reference, others are moved into
// their fibers. The range is read only by the caller, one element when there is a place for it.

namespace weft::inline v1 {

namespace detail {

template <typename Range>
using element_reference = decltype(*std::begin(std::declval<Range&>()));

template <typename Range>
inline constexpr bool elements_stay =
    std::is_lvalue_reference_v<element_reference<Range>> &&
    std::forward_iterator<std::remove_cvref_t<decltype(std::begin(std::declval<Range&>()))>>;

/// What a fiber holds of its element: a reference where it stays, else the element.
template <typename Range>
using held_element =
    std::conditional_t<elements_stay<Range>,
                       std::reference_wrapper<std::remove_reference_t<element_reference<Range>>>,
                       std::remove_cvref_t<element_reference<Range>>>;

template <typename Range, typename Function>
using mapped = std::invoke_result_t<Function&, element_reference<Range>>;

template <typename Element>
decltype(auto) as_element(Element& held) {
  if constexpr (requires {
                  held.get();
                  typename Element::type;
                }) {
    return held.get();
  } else {
    return std::move(held);
  }
}

/// Starts a child for each element, and adds their handles to `children` in the order of the range.
template <typename Range, typename Function>
void start_all(scope& in, Range& range, Function& function, std::source_location from,
               std::vector<child<mapped<Range, Function>>>& children) {
  for (auto&& element : range) {
    children.push_back(
        in.go([&function, held = held_element<Range>(std::forward<decltype(element)>(element))]() mutable
              -> mapped<Range, Function> { return std::invoke(function, as_element(held)); },
              {}, from));
  }
}

/// The container of what an associative one is mapped to: the same kind with the same keys.
template <typename Container, typename Value>
struct rebound {};
template <template <typename...> class Map, typename Key, typename... Rest, typename Value>
  requires requires { typename Map<Key, Rest...>::key_compare; }
struct rebound<Map<Key, Rest...>, Value> {
  using type = Map<Key, Value, typename Map<Key, Rest...>::key_compare>;
};
template <template <typename...> class Map, typename Key, typename... Rest, typename Value>
  requires requires { typename Map<Key, Rest...>::hasher; }
struct rebound<Map<Key, Rest...>, Value> {
  using type = Map<Key, Value, typename Map<Key, Rest...>::hasher, typename Map<Key, Rest...>::key_equal>;
};

template <typename Range>
concept keyed = requires {
  typename std::remove_cvref_t<Range>::key_type;
  typename std::remove_cvref_t<Range>::mapped_type;
};

}  // namespace detail

/// Calls `function(element)` for each element, at most `width` at once, and waits for all.
/// The first error cancels the others and is thrown; weft::exit wins over it; others are suppressed as by
/// a scope. A cancellation point; cancelled, it cancels and waits. Throws weft::error (invalid_argument)
/// for a width of 0.
template <typename Range, typename Function>
void for_each_limited(Range&& range, std::size_t width, Function&& function,
                      std::source_location from = std::source_location::current()) {
  with_scope(
      [&](scope& in) {
        for (auto&& element : range) {
          in.go(
              [&function,
               held = detail::held_element<Range>(std::forward<decltype(element)>(element))]() mutable {
                static_cast<void>(std::invoke(function, detail::as_element(held)));
              },
              {}, from);
        }
      },
      {.width_max = width});
}

/// As for_each_limited, and gives what the calls returned: a vector in the order of the range; for a map
/// or unordered_map one of the same kind with the same keys, where `function` gets the pair.
template <typename Range, typename Function>
auto map_limited(Range&& range, std::size_t width, Function&& function,
                 std::source_location from = std::source_location::current()) {
  using value = detail::mapped<Range, Function>;
  static_assert(!std::is_void_v<value>, "the function returns nothing: use for_each_limited");
  return with_scope(
      [&](scope& in) {
        std::vector<child<value>> children;
        detail::start_all(in, range, function, from, children);
        in.join();
        if constexpr (detail::keyed<Range>) {
          typename detail::rebound<std::remove_cvref_t<Range>, std::remove_cvref_t<value>>::type values;
          auto done = children.begin();
          for (const auto& element : range) values.emplace(element.first, (done++)->join());
          return values;
        } else {
          std::vector<std::remove_cvref_t<value>> values;
          values.reserve(children.size());
          for (auto& one : children) values.push_back(one.join());
          return values;
        }
      },
      {.width_max = width});
}

/// As map_limited, but an error is the result of its element, and the others go on. In the order of the
/// range. weft::exit and cancellation from outside still end all of it.
template <typename Range, typename Function>
auto map_limited_results(Range&& range, std::size_t width, Function&& function,
                         std::source_location from = std::source_location::current()) {
  using value = detail::mapped<Range, Function>;
  return with_scope(
      [&](scope& in) {
        std::vector<child<value>> children;
        detail::start_all(in, range, function, from, children);
        in.join();
        std::vector<result<value>> results;
        results.reserve(children.size());
        for (auto& one : children) results.push_back(one.join_result());
        return results;
      },
      {.width_max = width, .on_error = child_errors::to_handles});
}

/// As map_limited_results, but at most for `bound`: what has not ended then is cancelled and waited for.
/// Such elements are empty, and those that had no turn yet; the latter are there if the range can be
/// counted. What has finished is kept.
template <typename Rep, typename Period, typename Range, typename Function>
auto map_limited_for(std::chrono::duration<Rep, Period> bound, Range&& range, std::size_t width,
                     Function&& function, std::source_location from = std::source_location::current()) {
  using value = detail::mapped<Range, Function>;
  std::vector<std::optional<result<value>>> results;
  with_scope(
      [&](scope& in) {
        std::vector<child<value>> children;
        move_on_after(bound, [&] {
          detail::start_all(in, range, function, from, children);
          in.join();
        });
        results.reserve(children.size());
        for (auto& one : children) {
          result<value> outcome = one.join_result();
          if (!outcome.has_value() && detail::holds_exception<cancelled>(outcome.error())) {
            results.emplace_back();
          } else {
            results.emplace_back(std::move(outcome));
          }
        }
      },
      {.width_max = width, .on_error = child_errors::to_handles});
  if constexpr (detail::elements_stay<Range>) {
    results.resize(static_cast<std::size_t>(std::distance(std::begin(range), std::end(range))));
  }
  return results;
}

}  // namespace weft::inline v1
