#pragma once

#include <weft/executor/thread_pool.hpp>

namespace weft::inline v1 {

/// The pool of the process for CPU-bound work, with up to a thread for each core; made at first use and never
/// ended; its threads come with the work. The whole program shares it: shutdown() on it is an error, and what
/// blocks belongs into blocking() or a pool of its own. A simulation has one of its own; a forked child makes
/// its own.
thread_pool& common_pool();

}  // namespace weft::inline v1
