#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string_view>

#include <weft/workers/interfaces.hpp>

// What can go wrong with a call, and what its caller may then get.

namespace weft_test {

/// What a caller of the chaos test asks for, or does.
enum class fault : unsigned char {
  none,          ///< the token comes back
  error,         ///< the function throws
  kill_before,   ///< SIGKILL between two calls of a checkout
  kill_during,   ///< SIGKILL at some time in a call
  kill_idle,     ///< SIGKILL after the checkout has ended: the worker may be another's by then
  stop,          ///< SIGSTOP: the call has to time out
  hang,          ///< a loop: the call has to time out
  hang_deaf,     ///< the same where SIGTERM is ignored
  cancel,        ///< the caller gives a call up that would not end
  exit,          ///< _exit
  weft_exit,     ///< weft::exit
  crash,         ///< SIGSEGV
  overflow,      ///< the stack is full
  disconnect,    ///< the worker closes its connection and goes on
  garbage,       ///< the worker says what nobody can read
  half_a_frame,  ///< the worker begins an answer and ends
  several,       ///< calls side by side on one checkout, and in half of the cases SIGKILL
};
inline constexpr std::size_t fault_count = 17;
std::string_view to_string(fault of) noexcept;

/// How often each is chosen.
using fault_weights = std::array<int, fault_count>;
fault choose(const fault_weights& weights, std::mt19937_64& random);

/// Offers "act(folder, slots, fault, token)", which does what the fault says and gives the token back where
/// it still can; and "pid".
///
/// While it runs it holds one of `slots` locks in `folder`, of those that the kernel takes from a process
/// before it closes its connections. So who finds none free has met more workers at work than there may be:
/// that is an error of the call.
void offer_faults(weft::workers::interfaces& offered);

}  // namespace weft_test
