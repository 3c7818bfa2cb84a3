#include <algorithm>

#include <weft/jobs/queue.hpp>

#include "jobs/firing.hpp"
#include "jobs/job_ids.hpp"

// The queue's side of schedules; workers fire them (firing.hpp).

namespace weft::inline v1::jobs {
namespace {

constexpr std::size_t schedule_name_bytes_max = 55;  // with "schedule:" it is a tag
constexpr std::chrono::hours span_max{24 * 3653};

void check(std::string_view name, const detail::pushed_closure& what, const schedule_options& options) {
  const auto refuse = [&](errc code, const std::string& why) {
    throw error(code, "jobs: schedule \"" + std::string(name) + "\": " + why);
  };
  if (name.empty() || name.size() > schedule_name_bytes_max)
    refuse(errc::invalid_argument, "a name has 1 to " + std::to_string(schedule_name_bytes_max) + " bytes");
  if (!what.secrets.empty())
    refuse(errc::unsupported, "an argument is a secret; let the closure ask its worker's services for it");
  const catch_up_bounds& bounds = options.bounds;
  if (bounds.fires_max == 0) refuse(errc::invalid_argument, "catch_up_bounds::fires_max is 0");
  const auto fits = [](std::chrono::microseconds span) { return span.count() >= 0 && span <= span_max; };
  if (!fits(bounds.late_max) || !fits(bounds.age_max))
    refuse(errc::invalid_argument, "late_max and age_max of catch_up_bounds are 0 to ten years");
}

}  // namespace

void queue::put_schedule(std::string_view name, const cron& when, const detail::pushed_closure& what,
                         const schedule_options& options) {
  check(name, what, options);
  const moment now = clock().now();
  // The jobs are pushed by workers, so what a push would refuse is refused here.
  const new_job like = make_job(what, {.queue = options.queue,
                                       .priority = options.priority,
                                       .max_attempts = options.max_attempts,
                                       .timeout = options.timeout,
                                       .tags = options.tags});
  schedule_envelope schedule;
  schedule.name = name;
  schedule.tenant = tenant();
  schedule.queue = like.queue;
  schedule.cron = when.expression();
  schedule.zone = when.zone().name();
  schedule.policy = options.policy;
  schedule.bounds = options.bounds;
  schedule.closure = what.identity;
  schedule.arguments = what.arguments;
  schedule.source = what.source;
  schedule.priority = options.priority;
  schedule.attempts_max = options.max_attempts > 0 ? options.max_attempts : options_.max_attempts;
  schedule.timeout = options.timeout.count() > 0 ? options.timeout : options_.timeout;
  schedule.tags = options.tags;
  stored_schedule row{schedule.name, schedule.queue, schedule.cron + '\n' + schedule.zone,
                      seal(keys(), schedule)};
  row.last = now;
  row.next = when.next_after(now);
  store_->put_schedule(row);
}

bool queue::unschedule(std::string_view name) { return store_->remove_schedule(name); }

std::vector<schedule_info> queue::schedules() {
  std::vector<schedule_info> all;
  for (const auto& row : store_->schedules()) {
    schedule_info& info = all.emplace_back();
    info.name = row.name;
    info.queue = row.queue;
    info.last = row.last;
    info.next = row.next;
    info.paused = row.paused;
    try {
      const schedule_envelope schedule = open_schedule(keys(), row, tenant());
      info.cron = schedule.cron;
      info.zone = schedule.zone;
      info.closure = schedule.closure;
      info.source = schedule.source;
      info.policy = schedule.policy;
      (void)cron(schedule.cron, time_zone(schedule.zone));  // the zone may not be known here
    } catch (const error& bad) {
      info.problem = bad.message();
    }
  }
  return all;
}

bool queue::pause_schedule(std::string_view name) { return store_->pause_schedule(name); }

bool queue::resume_schedule(std::string_view name) {
  const moment now = clock().now();
  for (const auto& one : schedules()) {
    if (one.name != name) continue;
    // Where it cannot be read, a worker says so.
    const moment next = one.problem.empty() ? cron(one.cron, time_zone(one.zone)).next_after(now) : now;
    return store_->resume_schedule(name, now, next);
  }
  return false;
}

std::optional<job_id> queue::fire_now(std::string_view schedule) {
  for (const auto& row : store_->schedules()) {
    if (row.name != schedule) continue;
    const schedule_envelope signed_one = open_schedule(keys(), row, tenant());
    return with_fresh_ids([&] {
      const moment now = clock().now();
      const new_job job = job_of(signed_one, now, keys(), now);
      return store_->push({&job, 1}).front();
    });
  }
  return std::nullopt;
}

}  // namespace weft::inline v1::jobs
