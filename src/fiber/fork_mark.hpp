#pragma once

#include <atomic>

// What a process that was forked inside weft::run may do: exec or _exit. It shares the epoll sets and
// the bells of the loops with its parent, and has a copy of every fiber: each of them would run twice.
//
// The child handler of pthread_atfork, which runs in the one thread that the child has, counts
// the fork and forbids waits to the running fiber, in the way of a no_wait_scope: whatever it waits
// in fails with weft::error (misuse). If it ends or gives up its turn all the same, the loop gets
// control, nothing else is resumed, and it ends the process. What closes descriptors meanwhile
// (destructors, as the error unwinds) leaves the shared epoll set alone. A fork from a plain thread
// changes nothing: the child has no loop, and may make one.

namespace weft::inline v1::detail {

/// Has the process count its forks from now on. Any thread, any number of times.
void watch_forks() noexcept;

/// Forks between the start of the program and this process. What keeps a number that has changed since
/// belongs to an ancestor.
unsigned forks_so_far() noexcept;

/// Says what the child did wrong, and ends it with status 70.
[[noreturn]] void end_forked_child() noexcept;

}  // namespace weft::inline v1::detail
