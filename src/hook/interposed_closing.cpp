// The names of libc that end a descriptor, and those that set handlers of signals.

#include <fcntl.h>

#include "hook/exported.hpp"
#include "hook/real_call.hpp"
#include "hook/signals.hpp"
#include "hook/waiting.hpp"

namespace {

using namespace weft::hook;

/// On the threads of a run. A child by vfork closes its own copies only, and a handler may have interrupted
/// the loop.
bool closes_for_loops() noexcept {
  return this_thread.of != nullptr && this_thread.handlers == 0 && !is_other_process();
}

/// What the loops know of these ends before they are closed: the numbers may be another's at once. Waits for
/// several descriptors are told afterwards: they look at them again.
template <typename Close>
auto close_with(unsigned first, unsigned last, Close&& close) {
  if (!closes_for_loops()) return close();
  this_thread.of->closing(first, last);
  const auto result = close();
  const int failed = errno;
  wake_closed(first, last);
  errno = failed;
  return result;
}

int close_one(int fd) {
  const auto number = static_cast<unsigned>(fd);
  return fd < 0 ? real::close(fd) : close_with(number, number, [fd] { return real::close(fd); });
}

/// Does nothing to `to` where `from` is not open.
template <typename Make>
int duplicate(int from, int to, Make&& make) noexcept {
  if (to < 0 || from == to || !closes_for_loops() || fcntl(from, F_GETFD) < 0) return make();
  const auto number = static_cast<unsigned>(to);
  return close_with(number, number, make);
}

}  // namespace

// libc's names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

WEFT_EXPORTED int close(int fd) { return close_one(fd); }
WEFT_EXPORTED int __close(int fd) { return close_one(fd); }
WEFT_EXPORTED int dup2(int from, int to) noexcept {
  return duplicate(from, to, [&] { return real::dup2(from, to); });
}
WEFT_EXPORTED int __dup2(int from, int to) noexcept { return ::dup2(from, to); }
WEFT_EXPORTED int dup3(int from, int to, int flags) noexcept {
  return duplicate(from, to, [&] { return real::dup3(from, to, flags); });
}
WEFT_EXPORTED int close_range(unsigned first, unsigned last, int flags) noexcept {
  if ((flags & CLOSE_RANGE_CLOEXEC) != 0 || first > last) return real::close_range(first, last, flags);
  return close_with(first, last, [&] { return real::close_range(first, last, flags); });
}
WEFT_EXPORTED void closefrom(int first) noexcept {
  close_with(first < 0 ? 0U : static_cast<unsigned>(first), UINT_MAX, [first] {
    real::closefrom(first);
    return 0;
  });
}

WEFT_EXPORTED int sigaction(int number, const struct sigaction* action, struct sigaction* former) noexcept {
  return set_action(number, action, former);
}
WEFT_EXPORTED sighandler_t signal(int number, sighandler_t handler) noexcept {
  return set_handler(number, handler);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
