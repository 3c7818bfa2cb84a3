#include "fiber/fork_mark.hpp"

#include <pthread.h>
#include <unistd.h>
#include <cstdio>
#include <mutex>

#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

constinit std::atomic<unsigned> forks{0};

constexpr const char* forked_place = "a process forked inside weft::run, which may only exec or _exit,";

void on_forked_child() {
  forks.fetch_add(1, std::memory_order_relaxed);
  scheduler* const here = scheduler::current();
  if (here == nullptr) return;
  here->stop_switching();
  if (task_block* const running = task_block::current_or_null()) running->no_wait = forked_place;
}

}  // namespace

void watch_forks() noexcept {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, &on_forked_child); });
}

unsigned forks_so_far() noexcept { return forks.load(std::memory_order_relaxed); }

void end_forked_child() noexcept {
  constexpr int status = 70;  // EX_SOFTWARE
  char text[256];
  const int length =
      std::snprintf(text, sizeof text,
                    "weft: process %d was forked inside weft::run, and its fiber ended or gave up its turn; "
                    "such a process may only exec or _exit, else every fiber would run twice\n",
                    static_cast<int>(getpid()));
  [[maybe_unused]] const auto put = write(STDERR_FILENO, text, static_cast<std::size_t>(length));
  _exit(status);
}

}  // namespace weft::inline v1::detail
