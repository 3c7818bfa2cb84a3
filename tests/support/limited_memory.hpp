#pragma once

namespace weft::testing {

/// How many more calls of operator new succeed on this thread; -1: all. For programs that link
/// limited_memory.cpp, which replaces it.
extern thread_local int allocations_left;

}  // namespace weft::testing
