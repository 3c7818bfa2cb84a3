#include "jobs/postgres/server_clock.hpp"

#include <ctime>

namespace weft::inline v1::jobs::postgres {
namespace {

constexpr std::chrono::seconds old_after{30};
constexpr int drift_share = 5000;  // two clocks go apart by a part of so many at most: 0.2 ms a second

}  // namespace

server_clock::ticks server_clock::since_start() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<ticks>(std::chrono::seconds(now.tv_sec) +
                                           std::chrono::nanoseconds(now.tv_nsec));
}

moment server_clock::at(ticks here) const {
  const std::lock_guard lock(mutex_);
  return base_ + here;
}

void server_clock::learn(ticks asked, moment told, ticks answered) {
  const ticks error = (answered - asked) / 2 + ticks(1);
  const moment base = told - (asked + error);
  const std::lock_guard lock(mutex_);
  const ticks error_by_now = error_ + (answered - known_at_) / drift_share;
  asked_at_ = answered;
  // Where they contradict each other, the server's clock was set, or another server has taken over.
  const bool agrees = is_known_ && std::chrono::abs(base - base_) <= error + error_by_now;
  if (agrees && error > error_by_now) return;
  base_ = base;
  error_ = error;
  known_at_ = answered;
  is_known_ = true;
}

bool server_clock::is_old(ticks here) const {
  const std::lock_guard lock(mutex_);
  return here - asked_at_ > old_after;
}

}  // namespace weft::inline v1::jobs::postgres
