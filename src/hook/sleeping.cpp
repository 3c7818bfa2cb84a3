#include "hook/sleeping.hpp"

#include "hook/real_call.hpp"

namespace weft::inline v1::hook {
namespace {

constexpr timespec timespec_of(std::int64_t nanoseconds) noexcept {
  return {nanoseconds / a_second, nanoseconds % a_second};
}

bool has_sense(const timespec& time) noexcept {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < a_second;
}

/// Until that time of day, also where somebody sets the clock meanwhile: it is looked at every second.
int sleep_until_time_of_day(const engine& of, const timespec& time) noexcept {
  const int before = errno;
  for (;;) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t left = nanoseconds_of(time) - nanoseconds_of(now);
    if (left <= 0) return 0;
    if (sleep_here(of, bound_after(of, left < a_second ? left : a_second))) continue;
    const int failed = errno;
    errno = before;
    return failed;
  }
}

}  // namespace

bool sleep_for_here(const engine& of, std::int64_t nanoseconds, std::int64_t& left) noexcept {
  left = 0;
  if (nanoseconds == 0) {
    of.yield();
    return true;
  }
  const std::int64_t until = bound_after(of, nanoseconds);
  if (sleep_here(of, until)) return true;
  const std::int64_t now = of.now();
  left = until > now ? until - now : 0;
  return false;
}

int nanosleep_here(const engine& of, const timespec& time, timespec* left) noexcept {
  if (!has_sense(time) || is_other_process()) return real::nanosleep(&time, left);
  const errno_before before;
  std::int64_t rest = 0;
  if (sleep_for_here(of, nanoseconds_of(time), rest)) return before.keep(0);
  if (left != nullptr) *left = timespec_of(rest);
  return -1;
}

int clock_nanosleep_here(const engine& of, clockid_t clock, int flags, const timespec& time,
                         timespec* left) noexcept {
  const bool is_absolute = (flags & TIMER_ABSTIME) != 0;
  const bool is_known = clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME;
  if (!is_known || !has_sense(time) || is_other_process())
    return real::clock_nanosleep(clock, flags, &time, left);
  if (is_absolute && clock == CLOCK_REALTIME) return sleep_until_time_of_day(of, time);
  std::int64_t bound = nanoseconds_of(time);
  if (is_absolute) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    bound -= nanoseconds_of(now);
    if (bound <= 0) return 0;
    left = nullptr;
  }
  const int before = errno;
  const int result = nanosleep_here(of, timespec_of(bound), left) == 0 ? 0 : errno;
  errno = before;
  return result;
}

}  // namespace weft::inline v1::hook
