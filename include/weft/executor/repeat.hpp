#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/context/cancellation.hpp>
#include <weft/executor/async_loop.hpp>
#include <weft/executor/when_all.hpp>

namespace weft::inline v1 {

/// Calls `f`, which may return a future, on the current executor, again and again, until `done` says true of
/// what it gave; gives that. Without recursion, and no thread waits. The first error ends it.
template <typename F, typename Done>
auto repeat_until(F&& f, Done&& done, std::source_location from = std::source_location::current()) {
  using held = std::decay_t<F>;
  using value = typename detail::unnested<std::invoke_result_t<held&>>::type;
  static_assert(!std::is_void_v<value>, "repeat_until: the function gives what `done` looks at");
  struct shared_work {
    held f;
    std::decay_t<Done> done;
  };
  auto work = std::make_shared<shared_work>(shared_work{std::forward<F>(f), std::forward<Done>(done)});
  return detail::run_loop<value>([work, on = current_executor(), from] {
    return async(
               on, [work] { return std::invoke(work->f); }, from)
        .on(on)
        .then(
            [work](value one) -> std::optional<value> {
              if (!std::invoke(work->done, std::as_const(one))) return std::nullopt;
              return one;
            },
            from);
  });
}

/// Folds the values of all, in input order: `f(f(f(first, v1), v2), v3)`. Waits for them as when_all does.
template <typename Value, typename Total, typename F>
future<Total> reduce(std::vector<future<Value>> all, Total first, F&& f,
                     std::source_location from = std::source_location::current()) {
  return when_all(std::move(all))
      .then(
          [first = std::move(first), f = std::forward<F>(f)](std::vector<Value> values) mutable -> Total {
            for (auto& one : values) first = std::invoke(f, std::move(first), std::move(one));
            return std::move(first);
          },
          from);
}

namespace detail {
/// Ready when all are; fails as when_all does. Not inline: it would be compiled wherever this header is read.
future<void> all_ended(std::vector<future<void>> tasks);
}  // namespace detail

/// Calls `f(0)` to `f(count - 1)` on `where`, as many at once as that runs; each of its tasks takes the next
/// number that is left. The first error leaves out those that have not begun.
template <std::derived_from<executor> Executor, typename F>
future<void> bulk(const Executor& where, std::size_t count, F&& f,
                  std::source_location from = std::source_location::current()) {
  static_assert(!detail::is_future<std::invoke_result_t<std::decay_t<F>&, std::size_t>>,
                "bulk: nobody would wait for the function's future; use map_limited or when_all");
  struct shared_work {
    shared_work(F&& given, std::size_t number) : f(std::forward<F>(given)), count(number) {}
    std::decay_t<F> f;
    const std::size_t count;
    std::atomic<std::size_t> next{0};
  };
  constexpr std::size_t tasks_max = 256;
  auto work = std::make_shared<shared_work>(std::forward<F>(f), count);
  std::vector<future<void>> tasks;
  const std::size_t width = std::min({where.concurrency(), count, tasks_max});
  tasks.reserve(width + 1);
  const auto some = [work] {
    for (;;) {
      const std::size_t index = work->next.fetch_add(1, std::memory_order_relaxed);
      if (index >= work->count) return;
      try {
        checkpoint();
        std::invoke(work->f, index);
      } catch (...) {
        work->next.store(work->count, std::memory_order_relaxed);
        throw;
      }
    }
  };
  try {
    batch_capture captured(static_cast<std::uint32_t>(width));
    while (tasks.size() < width) {
      tasks.push_back(detail::submit_to(where.core(), some, captured.take(), {}, from));
    }
  } catch (...) {
    if (tasks.empty()) throw;
    work->next.store(work->count, std::memory_order_relaxed);  // those that are posted end before this does
    tasks.push_back(failed<void>(std::current_exception()));
  }
  return detail::all_ended(std::move(tasks));
}
/// The same on the current executor.
template <typename F>
future<void> bulk(std::size_t count, F&& f, std::source_location from = std::source_location::current()) {
  return bulk(current_executor(), count, std::forward<F>(f), from);
}

}  // namespace weft::inline v1
