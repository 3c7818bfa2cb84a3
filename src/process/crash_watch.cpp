#include <weft/process/crash_watch.hpp>

#include <algorithm>

namespace weft::inline v1::process {

crash_watch::crash_watch(restart_intensity allowed)
    : allowed_(allowed), deaths_(std::min(allowed.deaths_max, restart_intensity::deaths_limit)) {}

bool crash_watch::is_one_too_many(steady_time now) noexcept {
  const bool is_full = kept_ == deaths_.size();
  const bool too_many = is_full && now - deaths_[oldest_] < allowed_.within;
  deaths_[oldest_] = now;
  oldest_ = (oldest_ + 1) % deaths_.size();
  if (!is_full) ++kept_;
  return too_many;
}

bool crash_watch::died(steady_time now) noexcept {
  if (allowed_.deaths_max == 0) return false;
  if (now - std::max(last_death_, resumes_at_) >= allowed_.within) pauses_in_row_ = 0;
  last_death_ = now;
  // Those of processes that were forked before the pause do not make it longer.
  if (!is_one_too_many(now) || is_pausing(now)) return false;
  kept_ = 0;
  oldest_ = 0;
  pause(now, pauses_in_row_++);
  return true;
}

void crash_watch::fork_failed(steady_time now) noexcept { pause(now, failed_in_row_++); }

void crash_watch::pause(steady_time now, std::size_t nth) noexcept {
  auto length = allowed_.pause_first;
  for (std::size_t i = 0; i < nth && length < allowed_.pause_max; ++i) length *= 2;
  resumes_at_ = std::max(resumes_at_, now + std::min(length, allowed_.pause_max));
}

}  // namespace weft::inline v1::process
