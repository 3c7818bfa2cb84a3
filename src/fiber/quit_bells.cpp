#include "fiber/quit_bells.hpp"

#include <signal.h>
#include <sys/eventfd.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

namespace weft::inline v1::detail::quit_bells {
namespace {

struct place {
  std::atomic<int> bell{-1};
  std::atomic<bool> rung{false};
};

std::array<place, 64> places;
std::mutex changes;
int used = 0;                // guarded by changes
struct sigaction former {};  // guarded by changes; read by the handler while it is installed

void on_quit(int signal, siginfo_t* info, void* context) {
  const int kept_errno = errno;
  for (place& one : places) {
    const int bell = one.bell.load(std::memory_order_acquire);
    if (bell < 0) continue;
    one.rung.store(true, std::memory_order_release);
    eventfd_write(bell, 1);
  }
  if ((former.sa_flags & SA_SIGINFO) != 0) {
    former.sa_sigaction(signal, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(signal);
  }
  errno = kept_errno;
}

}  // namespace

void add(int bell) {
  const std::lock_guard lock(changes);
  for (place& one : places) {
    if (one.bell.load(std::memory_order_relaxed) >= 0) continue;
    one.rung.store(false, std::memory_order_relaxed);
    one.bell.store(bell, std::memory_order_release);
    break;
  }
  if (used++ > 0) return;
  struct sigaction ours {};
  ours.sa_sigaction = &on_quit;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGQUIT, nullptr, &former);
  sigaction(SIGQUIT, &ours, nullptr);
}

void remove(int bell) {
  const std::lock_guard lock(changes);
  for (place& one : places) {
    if (one.bell.load(std::memory_order_relaxed) != bell) continue;
    one.bell.store(-1, std::memory_order_relaxed);
    if (--used == 0) sigaction(SIGQUIT, &former, nullptr);
  }
}

bool take(int bell) {
  for (place& one : places) {
    if (one.bell.load(std::memory_order_relaxed) == bell)
      return one.rung.exchange(false, std::memory_order_acquire);
  }
  return false;
}

}  // namespace weft::inline v1::detail::quit_bells
