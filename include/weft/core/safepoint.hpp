#pragma once

#include <atomic>

// What a safepoint, see fiber/preemption.hpp, reads of its thread.

namespace weft::inline v1::detail {

/// Set by the monitor of a run when a fiber has had its thread for a while, and at the start of a run, so
/// that the first safepoint makes itself known. Read by the own thread, written by it and the monitor.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local std::atomic<bool> turn_due;

/// How many things go on in which the thread must not switch: spin locks held, static initialisers.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local unsigned safepoints_off;

/// The slow half of a safepoint. `asked_for`: the program called it, no compiler put it there.
void safepoint_due(bool asked_for) noexcept;

}  // namespace weft::inline v1::detail
