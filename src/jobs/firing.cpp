#include "jobs/firing.hpp"

#include <algorithm>

#include <weft/log/log.hpp>
#include <weft/wire/canonical.hpp>

#include "jobs/job_ids.hpp"
#include "jobs/micros.hpp"

namespace weft::inline v1::jobs {
namespace {

/// Keeps a time from being fired twice also where somebody sets the row back, for as long as it would be
/// made up for.
unique_key key_of(const schedule_envelope& schedule, moment due) {
  wire::canonical_writer key;
  key.text("schedule");
  key.text(schedule.name);
  key.integer(micros(due));
  const auto looked_back = std::max(schedule.bounds.age_max, schedule.bounds.late_max);
  return {std::string(as_text(key.data())), unique_until::ended, due + looked_back + pause_of_unread};
}

void fill(schedule_fire& fire, const stored_schedule& row, const job_keys& with, moment now) {
  const schedule_envelope schedule = open_schedule(with.keys, row, with.tenant);
  const cron when(schedule.cron, time_zone(schedule.zone));
  const due_times due = due_since(when, row.last, now, schedule.policy, schedule.bounds);
  for (const moment time : due.times) {
    fire.jobs.push_back(job_of(schedule, time, with.keys, now));
    fire.jobs.back().unique = key_of(schedule, time);
  }
  fire.last = std::max(row.last, now);
  fire.next = when.next_after(fire.last);
  if (due.left_out) {
    log::warn("jobs: times of a schedule have passed, and were left out",
              {{"schedule", row.name}, {"made_up_for", fire.jobs.size()}});
  }
}

}  // namespace

new_job job_of(const schedule_envelope& schedule, moment due, const wire::key_ring& keys, moment now) {
  job_envelope job;
  job.id = make_job_id(now);
  job.queue = schedule.queue;
  job.closure = schedule.closure;
  job.arguments = schedule.arguments;
  job.created = now;
  job.not_before = due;
  job.attempts_max = schedule.attempts_max;
  job.timeout = schedule.timeout;
  job.source = schedule.source;
  job.tenant = schedule.tenant;
  new_job made{job.id, job.queue, job.closure, seal(keys, job), schedule.priority, now, due};
  made.tags = schedule.tags;
  made.tags.push_back("schedule:" + schedule.name);
  return made;
}

std::optional<schedule_fire> fire_of(const stored_schedule& row, const job_keys& with, moment now) {
  schedule_fire fire{.name = row.name, .envelope = row.envelope, .seen = row.next, .now = now};
  try {
    fill(fire, row, with, now);
  } catch (const error& bad) {
    if (!is_fault_of_the_row(bad.code())) {
      log::error("jobs: a schedule cannot be fired by this worker; it is left to others",
                 {{"schedule", row.name}, {"queue", row.queue}, {"error", bad.message()}});
      return std::nullopt;
    }
    fire.jobs.clear();
    fire.last = row.last;
    fire.next = now + pause_of_unread;
    log::critical("jobs: a schedule cannot be read; it pushes nothing",
                  {{"schedule", row.name}, {"queue", row.queue}, {"error", bad.message()}});
  }
  return fire;
}

}  // namespace weft::inline v1::jobs
