#pragma once

#include <cstddef>

// The peers, measured; each throws bench::unavailable where Boost was not found.

namespace weft::bench::peers {

/// Nanoseconds for a switch, there and back being two, with Boost.Context's fcontext.
double fcontext_switch(std::size_t switches);
/// Nanoseconds to start and join a fiber of Boost.Fiber, in batches of 1,000 on pooled stacks.
double fiber_spawn_and_join(std::size_t batches);
/// Nanoseconds for a yield of `fibers` fibers of Boost.Fiber.
double fiber_yield(std::size_t fibers, std::size_t rounds);
/// Nanoseconds for a message, there and back being two, through a channel that holds one.
double fiber_ping_pong(std::size_t rounds);

}  // namespace weft::bench::peers
