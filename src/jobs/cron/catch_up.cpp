#include <weft/jobs/catch_up.hpp>

#include <algorithm>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {
namespace {

/// The latest `count` times after `from` and up to `to`, oldest first; all of them where they are fewer.
/// Looks at longer and longer stretches before `to`, so that what lies far back costs nothing.
std::vector<moment> latest_times(const cron& schedule, moment from, moment to, std::size_t count) {
  std::vector<moment> found;
  for (std::chrono::microseconds stretch = std::chrono::minutes(1);; stretch *= 2) {
    const bool is_all = stretch >= to - from;
    moment at = is_all ? from : to - stretch;
    found.clear();
    while ((at = schedule.next_after(at)) <= to) found.push_back(at);
    if (is_all || found.size() >= count) break;
  }
  if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
  return found;
}

}  // namespace

due_times due_since(const cron& schedule, moment last, moment now, catch_up policy,
                    const catch_up_bounds& bounds) {
  if (bounds.fires_max == 0) throw error(errc::invalid_argument, "jobs: catch_up_bounds::fires_max is 0");
  if (now <= last) return {};
  const auto in_time_after = std::max(last, now - bounds.late_max - std::chrono::microseconds(1));
  const auto made_up_after = std::max(last, now - std::max(bounds.age_max, bounds.late_max));
  due_times due;
  due.times =
      latest_times(schedule, policy == catch_up::all ? made_up_after : in_time_after, now, bounds.fires_max);
  if (policy == catch_up::one && due.times.empty()) due.times = latest_times(schedule, made_up_after, now, 1);
  const moment first_missed = schedule.next_after(last);
  due.left_out = first_missed <= now && (due.times.empty() || first_missed < due.times.front());
  return due;
}

}  // namespace weft::inline v1::jobs
