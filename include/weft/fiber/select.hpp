#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include <weft/fiber/select_cases.hpp>

namespace weft::inline v1 {

namespace detail {

template <typename Case>
inline constexpr bool is_otherwise = false;
template <typename Then>
inline constexpr bool is_otherwise<otherwise_case<Then>> = true;

template <typename Case>
inline constexpr bool is_select_case = std::is_base_of_v<select_case, Case> || is_otherwise<Case>;

/// Finds where the default stands; `count` without one.
template <typename... Cases>
constexpr std::size_t otherwise_place() noexcept {
  std::size_t place = 0;
  static_cast<void>(((is_otherwise<Cases> || (++place, false)) || ...));
  return place;
}

template <std::size_t Count>
struct case_list {
  std::array<select_case*, Count> cases;
  std::array<std::size_t, Count> places;  // in the order of the arguments
  std::size_t used = 0;

  template <typename Case>
  void add(Case& one, std::size_t place) {
    if constexpr (!is_otherwise<Case>) {
      if (one.enabled()) one.prepare();
      cases[used] = &one;
      places[used++] = place;
    }
  }
};

}  // namespace detail

/// Waits until one of `cases` can be done, does that one and no other, calls its function, and gives its
/// place among the arguments.
///
///     weft::select(weft::on_pop(lines, [&](std::optional<std::string> line) { ... }),
///                  weft::on_push(results, next, [&](bool pushed) { ... }),
///                  weft::on_set(stop, [&] { ... }),
///                  weft::on_timeout(50ms, [&] { ... }));
///
/// Cases: on_pop, on_push, on_timeout, on_time, on_ready, on_done, on_set, on_unpark, on_wake. Each may stand
/// there any number of times, also for the same thing. At most one otherwise() is done at once where no
/// other case can be, so that select does not wait. when(condition, case) leaves a case out.
///
/// Of several cases that can be done it draws one, each with the same chance. The functions run in the
/// calling task, after the select has left all lines: they may wait, throw and select again.
/// A closed channel is a case that can be done, at once and every time: leave it out with when() in a loop.
///
/// Thread-safety: any fiber or plain thread. Lifetime: what the cases name outlives the call.
/// Cancellation: a cancellation point, also with otherwise(); cancelled, it has done none of its cases.
/// Errors: misuse where every case is left out and there is no otherwise(), or where it would wait
/// inside a no_wait_scope; else what the function of the case throws.
/// Cost: a look at each case and one lock where one is ready; waiting takes the lock of each twice.
template <typename... Cases>
std::size_t select(Cases&&... cases) {
  constexpr std::size_t count = sizeof...(Cases);
  constexpr std::size_t default_place = detail::otherwise_place<std::remove_cvref_t<Cases>...>();
  static_assert(count > 0, "weft::select: it needs at least one case, or it would wait for ever");
  static_assert((detail::is_select_case<std::remove_cvref_t<Cases>> && ...),
                "weft::select: the arguments are cases such as weft::on_pop(channel, function)");
  static_assert((std::size_t{detail::is_otherwise<std::remove_cvref_t<Cases>>} + ...) <= 1,
                "weft::select: there can be only one otherwise()");
  detail::case_list<count> list;
  std::size_t place = 0;
  (list.add(cases, place++), ...);
  const std::span<detail::select_case* const> waiting(list.cases.data(), list.used);
  std::size_t chosen = default_place;
  if constexpr (default_place == count) {
    chosen = list.places[*detail::select_among(waiting, no_deadline)];
  } else if (const auto now = detail::select_now(waiting)) {
    chosen = list.places[*now];
  }
  place = 0;
  ((place++ == chosen ? cases.finish() : void()), ...);
  return chosen;
}

}  // namespace weft::inline v1
