#pragma once

#include <cstddef>
#include <string>

namespace weft::inline v1 {

/// How much dump_fibers tells.
struct dump_options {
  std::size_t fibers_max =
      32;  ///< the oldest that many are shown one by one; of the others, how many wait in what
  std::size_t frames_max = 32;  ///< of each stack, innermost first; 0: no stacks
};

/// The fibers of the caller's run, for people: how many there are in which wait, and for each of the
/// oldest its id, name, place and chain of makers, what it does or waits for, how much of its stack it
/// uses, and its calls. Empty outside a run.
///
///     5 fibers: 1 runs, 4 wait in channel::pop
///     fiber 7 "reader" waits in channel::pop
///       made at server.cpp:12 by fiber 3 "acceptor", by fiber 1 "main"
///       stack: 912 bytes of 65536 in use, at most 8192 so far
///         #0 ...
///
/// The figure "so far" is for the stack, in whole pages: an earlier fiber on the same pooled stack may
/// have used them. Call it from a fiber of the run. Parked fibers do not notice; it costs a few
/// milliseconds to read the program's debug information, then some 10 us for a frame.
std::string dump_fibers(const dump_options& options = {});

namespace this_fiber {
/// The calling fiber's stack: its size, what is in use at this point, and what has been touched at
/// most, in whole pages, by this fiber and earlier ones on the same pooled stack. 0 on a plain thread.
std::size_t stack_bytes() noexcept;
std::size_t stack_used() noexcept;
/// One system call.
std::size_t stack_high_water() noexcept;
}  // namespace this_fiber

}  // namespace weft::inline v1
