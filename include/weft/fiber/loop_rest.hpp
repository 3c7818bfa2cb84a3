#pragma once

#include <weft/core/clock.hpp>

namespace weft::inline v1 {

/// When the loop of the running thread last had nothing to do, for 50 microseconds at least: a loop for which
/// that is long ago has more work than it can do. Before any such moment, when the run began; outside a run
/// the smallest time. A load, or where it slept since a system call.
steady_time loop_at_rest() noexcept;

}  // namespace weft::inline v1
