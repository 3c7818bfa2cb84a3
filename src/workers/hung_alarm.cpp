#include "workers/hung_alarm.hpp"

#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include <weft/core/error.hpp>

namespace weft::workers::detail {
namespace {

std::atomic<hung_alarm*> in_force = nullptr;

std::int64_t now_ns() noexcept { return steady_clock::now().time_since_epoch().count(); }

}  // namespace

hung_alarm::hung_alarm(std::chrono::nanoseconds after, std::atomic<std::int64_t>* shown)
    : after_(after), shown_(shown) {
  if (after_.count() <= 0) return;
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
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

/// In the signal handler. A call that begins meanwhile, on the thread itself, either finds that the timer is
/// not set and sets it, or is found here.
void hung_alarm::look() noexcept {
  is_set_.store(false);
  const std::int64_t first = first_end_ns_.load();
  if (first == nothing_runs) return;
  if (first <= now_ns()) return end_process();
  is_set_.store(true);
  set_timer(first);
}

// steady_clock is CLOCK_MONOTONIC.
void hung_alarm::set_timer(std::int64_t end_ns) noexcept {
  constexpr std::int64_t second = 1'000'000'000;
  itimerspec when{};
  when.it_value.tv_sec = end_ns / second;
  when.it_value.tv_nsec = end_ns % second;
  ::timer_settime(timer_, TIMER_ABSTIME, &when, nullptr);
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
  if (!is_set_.exchange(true)) set_timer(first_end_ns_.load());
  return end;
}

void hung_alarm::end_call(steady_time end) noexcept {
  const auto at = std::find(ends_.begin(), ends_.end(), end);
  if (at == ends_.end()) return;
  ends_.erase(at);
  tell_first_end();
}

}  // namespace weft::workers::detail
