#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

// Who gets which signal. One handler for the process sets a bit for each watch that wants the signal, and
// rings its bell, an eventfd.
//
// The handler may run in any thread at any time, also in the middle of what is here, so it takes no
// lock: it reads places of a fixed board, each of which is two words of bits and a descriptor. Who takes a
// place back clears the words first and then waits until no handler runs: one that started before
// may still ring the bell, one that starts later does not see it. Only then the bell is closed, so
// that no handler writes to a descriptor that has become something else's. Both sides count and
// clear in one order for all (seq_cst). Which signals have the handler is guarded by a mutex, which no
// handler takes.

namespace weft::inline v1::process::detail {

/// Bit n - 1 stands for signal n.
using signal_bits = std::uint64_t;
constexpr signal_bits bit_of(int signal) noexcept { return signal_bits{1} << (signal - 1); }

/// Takes a place and catches the signals; they ring `bell` from now on. Throws weft::error
/// (resource_exhausted).
std::size_t watch_signals(signal_bits signals, int bell);
/// Gives the place back; after that nobody rings its bell.
void unwatch_signals(std::size_t place) noexcept;
/// Takes one of the signals that came for a place; 0: none. `more`: there are others.
int take_signal(std::size_t place, bool& more) noexcept;

}  // namespace weft::inline v1::process::detail
