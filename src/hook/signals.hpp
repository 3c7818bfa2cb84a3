#pragma once

#include <signal.h>

namespace weft::inline v1::hook {

/// sigaction and signal: a handler of the program is called through one of ours, which says that a handler
/// runs. No call makes the fiber wait there: it may have been interrupted anywhere. In a program without weft
/// they are libc's.
int set_action(int number, const struct sigaction* action, struct sigaction* former) noexcept;
sighandler_t set_handler(int number, sighandler_t handler) noexcept;

}  // namespace weft::inline v1::hook
