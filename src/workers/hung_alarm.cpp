#include "workers/hung_alarm.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include <weft/core/error.hpp>

namespace weft::inline v1::workers::detail {
namespace {

std::atomic<hung_alarm*> in_force = nullptr;

// Not every C library has a name for it.
#ifdef sigev_notify_thread_id
#define WEFT_SIGEV_THREAD_ID sigev_notify_thread_id
#else
#define WEFT_SIGEV_THREAD_ID _sigev_un._tid
#endif

std::int64_t now_ns() noexcept { return steady_clock::now().time_since_epoch().count(); }

}  // namespace

// The longer, the fewer system calls, and the later a call is ended. A server's own look is later still.
std::chrono::nanoseconds hung_alarm::slack_of(std::chrono::nanoseconds after) noexcept {
  return std::min<std::chrono::nanoseconds>(after / 8, std::chrono::milliseconds(250));
}

hung_alarm::hung_alarm(std::chrono::nanoseconds after, std::atomic<std::int64_t>* shown,
                       std::chrono::nanoseconds slack)
    : after_(after), slack_ns_(slack.count()), shown_(shown) {
  if (after_.count() <= 0) return;
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;  // threads of the program that wait are none of its affair
  event.WEFT_SIGEV_THREAD_ID = static_cast<pid_t>(::syscall(SYS_gettid));
  event.sigev_signo = SIGALRM;
  event.sigev_value.sival_ptr = this;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    throw system_error("workers: make the timer of hung_worker_timeout", errno);
  }
  in_force = this;
  struct sigaction ours {};
  ours.sa_sigaction = &hung_alarm::rang;
  ours.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&ours.sa_mask);
  ::sigaction(SIGALRM, &ours, &former_);
}

hung_alarm::~hung_alarm() {
  if (after_.count() <= 0) return;
  ::timer_delete(timer_);
  in_force = nullptr;
  struct sigaction nothing {};  // forgets one that is on its way
  nothing.sa_handler = SIG_IGN;
  ::sigaction(SIGALRM, &nothing, nullptr);
  ::sigaction(SIGALRM, &former_, nullptr);
}

/// A SIGALRM from elsewhere ends the process as it would without us.
void hung_alarm::rang(int /*signal*/, siginfo_t* how, void* /*context*/) noexcept {
  const int kept_errno = errno;
  hung_alarm* const one = in_force;
  if (how->si_code == SI_TIMER && one != nullptr && how->si_value.sival_ptr == one) {
    one->look();
  } else {
    end_process();
  }
  errno = kept_errno;
}

/// By the signal, once the handler has returned.
void hung_alarm::end_process() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGALRM, &by_default, nullptr);
  ::kill(::getpid(), SIGALRM);
}

/// In the signal handler.
void hung_alarm::look() noexcept {
  rings_at_ns_.store(nothing_runs);
  const std::int64_t first = first_end_ns_.load();
  if (first != nothing_runs && first <= now_ns()) return end_process();
  ring_behind_first_end();
}

/// Also by the signal handler in the middle of this, which leaves it as it would be afterwards.
void hung_alarm::ring_behind_first_end() noexcept {
  const std::int64_t first = first_end_ns_.load();
  if (first == nothing_runs || first <= rings_at_ns_.load()) return;
  rings_at_ns_.store(first + std::min(slack_ns_, std::numeric_limits<std::int64_t>::max() - first));
  set_timer();
}

// steady_clock is CLOCK_MONOTONIC.
void hung_alarm::set_timer() noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  const std::int64_t at = rings_at_ns_.load();
  itimerspec when{};
  when.it_value.tv_sec = at / second;
  when.it_value.tv_nsec = at % second;
  ::timer_settime(timer_, TIMER_ABSTIME, &when, nullptr);
}

std::chrono::nanoseconds hung_alarm::rings_in() const noexcept {
  itimerspec left{};
  if (after_.count() > 0) ::timer_gettime(timer_, &left);
  return std::chrono::seconds(left.it_value.tv_sec) + std::chrono::nanoseconds(left.it_value.tv_nsec);
}

void hung_alarm::tell_first_end() noexcept {
  const auto first = ends_.empty() ? nothing_runs : ends_.front().time_since_epoch().count();
  first_end_ns_.store(first);
  if (shown_ != nullptr) shown_->store(first, std::memory_order_relaxed);
}

steady_time hung_alarm::begin_call() {
  if (after_.count() <= 0) return no_deadline;
  const auto end = deadline_after(after_);
  ends_.push_back(end);
  tell_first_end();
  ring_behind_first_end();
  return end;
}

void hung_alarm::end_call(steady_time end) noexcept {
  const auto at = std::find(ends_.begin(), ends_.end(), end);
  if (at == ends_.end()) return;
  ends_.erase(at);
  tell_first_end();
  ring_behind_first_end();
}

}  // namespace weft::inline v1::workers::detail
