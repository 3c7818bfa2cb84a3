#pragma once

#include <cstdint>

#include <weft/core/stack_trace.hpp>

namespace weft::inline v1::detail {

class scheduler;

/// Takes the stack of a fiber that holds its thread, from another thread: sends SIGURG to that thread,
/// whose handler takes it. SIGURG is ignored by default, and system calls go on after it (SA_RESTART).
/// Where the program handles SIGURG itself, no stack is taken.
///
/// Empty too when an exception is in flight there, because the unwinder is at work; when the fiber has
/// switched since `switches` was read; and when the thread does not answer within a second.
stack_trace sample_stack(scheduler& loop, std::uint64_t switches);

}  // namespace weft::inline v1::detail
