#include "fiber/stack_sampler.hpp"

#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "fiber/scheduler.hpp"

namespace weft::inline v1::detail {
namespace {

constexpr int sample_signal = SIGURG;

// One question at a time. The asker writes it before `asked` and reads the answer after `answered`; an answer
// that comes too late finds `asked` withdrawn.
std::mutex askers;
std::atomic<scheduler*> asked{nullptr};
std::uint64_t expected_switches = 0;
stack_trace answer;
sem_t answered;

void on_sample(int, siginfo_t*, void*) {
  const int kept_errno = errno;
  scheduler* here = scheduler::current();
  if (here != nullptr && asked.compare_exchange_strong(here, nullptr, std::memory_order_acquire)) {
    answer = {};
    if (here->switches() == expected_switches && here->running() != nullptr && !here->exception_in_flight()) {
      answer = stack_trace::current(2);  // without this handler and what the kernel returns through
    }
    sem_post(&answered);
  }
  errno = kept_errno;
}

bool install() {
  static const bool installed = [] {
    struct sigaction former {};
    if (sigaction(sample_signal, nullptr, &former) != 0) return false;
    if ((former.sa_flags & SA_SIGINFO) != 0) return false;
    if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) return false;
    sem_init(&answered, 0, 0);
    struct sigaction ours {};
    ours.sa_sigaction = &on_sample;
    ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;  // a fiber's stack may be almost full
    sigemptyset(&ours.sa_mask);
    return sigaction(sample_signal, &ours, nullptr) == 0;
  }();
  return installed;
}

bool wait_for_answer() {
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 1;
  while (sem_timedwait(&answered, &until) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

}  // namespace

stack_trace sample_stack(scheduler& loop, std::uint64_t switches) {
  const std::lock_guard lock(askers);
  if (!install()) return {};
  expected_switches = switches;
  asked.store(&loop, std::memory_order_release);
  if (syscall(SYS_tgkill, getpid(), loop.thread_id(), sample_signal) == 0 && wait_for_answer()) return answer;
  if (asked.exchange(nullptr, std::memory_order_acq_rel) == nullptr) {
    while (sem_wait(&answered) != 0) {
    }  // it is just being answered
    return answer;
  }
  return {};
}

}  // namespace weft::inline v1::detail
