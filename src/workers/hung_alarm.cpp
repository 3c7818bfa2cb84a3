#include "workers/hung_alarm.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <weft/core/error.hpp>

namespace weft::workers::detail {

hung_alarm::hung_alarm(std::chrono::nanoseconds after) : after_(after) {
  if (after_.count() <= 0) return;
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) {
    throw system_error("workers: make the timer of hung_worker_timeout", errno);
  }
}

hung_alarm::~hung_alarm() {
  if (after_.count() > 0) ::timer_delete(timer_);
}

// steady_clock is CLOCK_MONOTONIC. All zero disarms.
void hung_alarm::arm() noexcept {
  itimerspec when{};
  if (!ends_.empty()) {
    const auto since_start = ends_.front().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_start);
    when.it_value.tv_sec = seconds.count();
    when.it_value.tv_nsec = (since_start - seconds).count();
  }
  ::timer_settime(timer_, TIMER_ABSTIME, &when, nullptr);
}

steady_time hung_alarm::begin_call() {
  if (after_.count() <= 0) return no_deadline;
  const auto end = deadline_after(after_);
  ends_.push_back(end);
  if (ends_.size() == 1) arm();
  return end;
}

void hung_alarm::end_call(steady_time end) noexcept {
  const auto at = std::find(ends_.begin(), ends_.end(), end);
  if (at == ends_.end()) return;
  const bool was_first = at == ends_.begin();
  ends_.erase(at);
  if (was_first) arm();
}

}  // namespace weft::workers::detail
