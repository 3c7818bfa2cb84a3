#pragma once

#include <source_location>
#include <utility>
#include <vector>

#include <weft/executor/executor.hpp>
#include <weft/fiber/fiber.hpp>

namespace weft::inline v1 {

namespace detail {
void spawn_here(fiber_block* fiber_ref);
}

/// As go, but the fiber is one of the caller's loop: no loop that has nothing to do takes it over. For fibers
/// that share what one thread has, without locks.
template <typename Function>
auto go_here(Function&& function, go_options options = {},
             std::source_location from = std::source_location::current()) {
  return detail::make_fiber(detail::origin_of(options, from), std::forward<Function>(function),
                            detail::spawn_here);
}

/// The loops of the caller's run, the caller's own first: each task that is posted is a fiber of that loop,
/// and stays there. Throws weft::error (no_scheduler) outside weft::run.
std::vector<executor> loop_executors();

}  // namespace weft::inline v1
