#pragma once

#include <cstddef>

namespace weft::bench {

/// Nanoseconds for a switch between two stacks that saves six registers and leaves by `jmp`, and does
/// nothing else: no guard below the stack, no exception state. What a switch costs at least. Throws
/// unavailable on processors that it is not written for.
double bare_switch(std::size_t switches);

}  // namespace weft::bench
