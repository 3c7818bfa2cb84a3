#include <weft/process/signals.hpp>

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <string>

#include <weft/context/wait.hpp>
#include <weft/core/error.hpp>
#include <weft/fiber/io_event.hpp>
#include <weft/process/exit_status.hpp>

#include "process/signal_board.hpp"

namespace weft::inline v1 {
namespace process {

namespace {

/// Why a signal cannot be waited for; null if it can.
const char* objection_to(int signal) noexcept {
  if (signal < 1 || signal > SIGRTMAX) return "is not the number of a signal";
  switch (signal) {
    case SIGKILL:
    case SIGSTOP:
      return "cannot be caught";
    case SIGCHLD:
      return "is the system's for children: wait for the child, by process::child or wait_child";
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
      return "comes from a fault of the running code, which cannot go on";
    default:
      return signal > SIGSYS && signal < SIGRTMIN ? "is the C library's own" : nullptr;
  }
}

detail::signal_bits checked_bits(std::initializer_list<int> signals) {
  if (signals.size() == 0) throw error(errc::invalid_argument, "watch signals: the list is empty");
  detail::signal_bits bits = 0;
  for (const int one : signals) {
    if (const char* const objection = objection_to(one)) {
      throw error(errc::invalid_argument,
                  "watch signals: " + std::to_string(one) + " (" + signal_name(one) + ") " + objection);
    }
    bits |= detail::bit_of(one);
  }
  return bits;
}

sigset_t set_of(std::initializer_list<int> signals) noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int one : signals) ::sigaddset(&set, one);
  return set;
}

}  // namespace

signal_watch::signal_watch(std::initializer_list<int> signals) {
  const auto bits = checked_bits(signals);
  bell_ = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell_) throw system_error("watch signals (eventfd)", errno);
  place_ = detail::watch_signals(bits, bell_.get());
  const sigset_t watched = set_of(signals);
  ::pthread_sigmask(SIG_UNBLOCK, &watched, &former_mask_);
}

signal_watch::~signal_watch() {
  if (::pthread_equal(thread_, ::pthread_self()) != 0) ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
  detail::unwatch_signals(place_);
}

std::optional<int> signal_watch::try_wait() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const auto got = ::read(bell_.get(), &rings, sizeof rings);
  bool more = false;
  const int signal = detail::take_signal(place_, more);
  if (more) {
    rings = 1;  // for the next wait
    [[maybe_unused]] const auto put = ::write(bell_.get(), &rings, sizeof rings);
  }
  return signal != 0 ? std::optional(signal) : std::nullopt;
}

int signal_watch::wait() { return *wait_until(no_deadline); }

std::optional<int> signal_watch::wait_until(steady_time until) {
  weft::detail::check_cancelled("wait_signal");
  for (;;) {
    if (const auto signal = try_wait()) return signal;
    if (!wait_readable_until(bell_.get(), until)) return try_wait();
  }
}

}  // namespace process

int wait_signal(std::initializer_list<int> signals) { return process::signal_watch(signals).wait(); }

std::optional<int> wait_signal_until(std::initializer_list<int> signals, steady_time until) {
  return process::signal_watch(signals).wait_until(until);
}

}  // namespace weft::inline v1
