#pragma once

#include <weft/executor/blocking.hpp>
#include <weft/executor/executor.hpp>
#include <weft/fiber/io_event.hpp>

namespace weft::inline v1 {

/// The future of an event of a descriptor: what holds for `fd` when one of `wanted` does, or an error or a
/// hang-up, as wait_event says. On a loop a fiber of it waits; elsewhere a thread of the pool behind
/// blocking(). Cancelling the future ends that wait. The descriptor stays open until the outcome is there.
inline future<io_events> from_fd(int fd, io_events wanted) {
  const auto wait = [fd, wanted] { return wait_event(fd, wanted); };
  const executor here = current_executor();
  return here.core()->suspends_waits() ? here.submit(wait) : start_blocking(wait);
}

}  // namespace weft::inline v1
