#include <weft/jobs/unverified_schedule.hpp>

#include <string>

#include <weft/core/error.hpp>

namespace weft::inline v1::jobs {

schedule_info unverified(const stored_schedule& row) {
  schedule_info info;
  info.name = row.name;
  info.queue = row.queue;
  const auto mark = row.timing.find('\n');
  info.cron = row.timing.substr(0, mark);
  if (mark != std::string::npos) info.zone = row.timing.substr(mark + 1);
  info.last = row.last;
  info.next = row.next;
  info.paused = row.paused;
  return info;
}

std::optional<cron> cron_of(const schedule_info& from) {
  try {
    return cron(from.cron, time_zone(from.zone));
  } catch (const error&) {
    return std::nullopt;
  }
}

bool resume_unverified(store& in, std::string_view name, moment now) {
  for (const auto& row : in.schedules()) {
    if (row.name != name) continue;
    // The row only says when a worker looks at it; what is due then is by what was signed.
    const auto when = cron_of(unverified(row));
    return in.resume_schedule(name, now, when ? when->next_after(now) : now);
  }
  return false;
}

}  // namespace weft::inline v1::jobs
