#include "process/signal_board.hpp"

#include <sched.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <mutex>
#include <string>

#include <weft/core/error.hpp>
#include <weft/process/signals.hpp>

namespace weft::inline v1::process::detail {

namespace {

constexpr int signal_max = 64;

struct place {
  std::atomic<signal_bits> wanted{0};
  std::atomic<signal_bits> come{0};
  std::atomic<int> bell{-1};
};
constinit std::array<place, signal_watch::watches_max> board{};
constinit std::atomic<int> handlers_running{0};
constinit std::atomic<pid_t> owner{0};

std::mutex mutex;
std::array<int, signal_max + 1> watchers{};                     // of each signal; guarded by mutex
std::array<struct sigaction, signal_max + 1> former_actions{};  // guarded by mutex

void ring(int bell) noexcept {
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto put = ::write(bell, &once, sizeof once);
}

void on_signal(int signal) {
  const int kept_errno = errno;
  if (::getpid() != owner.load()) {  // a forked child has no part in what its parent waits for
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    errno = kept_errno;
    return;
  }
  handlers_running.fetch_add(1);
  for (place& one : board) {
    if ((one.wanted.load() & bit_of(signal)) == 0) continue;
    one.come.fetch_or(bit_of(signal));
    if (const int bell = one.bell.load(); bell >= 0) ring(bell);
  }
  handlers_running.fetch_sub(1);
  errno = kept_errno;
}

template <typename Visit>
void for_each_signal(signal_bits signals, Visit visit) {
  for (; signals != 0; signals &= signals - 1) visit(std::countr_zero(signals) + 1);
}

void catch_signal(int signal) noexcept {
  if (watchers[static_cast<std::size_t>(signal)]++ > 0) return;
  struct sigaction ours {};
  ours.sa_handler = &on_signal;
  ours.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&ours.sa_mask);
  ::sigaction(signal, &ours, &former_actions[static_cast<std::size_t>(signal)]);
}

void let_go_of_signal(int signal) noexcept {
  if (--watchers[static_cast<std::size_t>(signal)] > 0) return;
  ::sigaction(signal, &former_actions[static_cast<std::size_t>(signal)], nullptr);
}

}  // namespace

std::size_t watch_signals(signal_bits signals, int bell) {
  const std::lock_guard lock(mutex);
  owner.store(::getpid());
  for (std::size_t i = 0; i < board.size(); ++i) {
    if (board[i].wanted.load() != 0) continue;
    board[i].come.store(0);
    board[i].bell.store(bell);
    board[i].wanted.store(signals);
    for_each_signal(signals, [](int signal) { catch_signal(signal); });
    return i;
  }
  throw error(errc::resource_exhausted, "watch signals: there are " + std::to_string(board.size()) +
                                            " watches in this process, which is signal_watch::watches_max");
}

void unwatch_signals(std::size_t index) noexcept {
  const std::lock_guard lock(mutex);
  for_each_signal(board[index].wanted.load(), [](int signal) { let_go_of_signal(signal); });
  board[index].bell.store(-1);
  board[index].wanted.store(0);
  while (handlers_running.load() != 0) ::sched_yield();
}

int take_signal(std::size_t index, bool& more) noexcept {
  signal_bits come = board[index].come.load();
  while (come != 0) {
    const signal_bits rest = come & (come - 1);
    if (!board[index].come.compare_exchange_weak(come, rest)) continue;
    more = rest != 0;
    return std::countr_zero(come) + 1;
  }
  more = false;
  return 0;
}

}  // namespace weft::inline v1::process::detail
