#pragma once

#include <weft/executor/future.hpp>
#include <weft/fiber/io_event.hpp>

namespace weft::inline v1 {

/// The future of an event of a descriptor: what holds for `fd` when one of `wanted` does, or an error or a
/// hang-up, as wait_event says. On a loop a fiber of it waits; elsewhere a thread of the pool behind
/// blocking(). Cancelling the future ends that wait. The descriptor stays open until the outcome is there.
future<io_events> from_fd(int fd, io_events wanted);

}  // namespace weft::inline v1
