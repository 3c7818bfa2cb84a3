#pragma once

#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/cron.hpp>
#include <weft/jobs/queue.hpp>

#include "cli/jobs_view.hpp"

namespace weft::cli {

// What `weft schedules ... --json` prints: docs/command-line.md, by the rules of jobs_view.hpp.

struct shown_schedule {
  std::string name;
  std::string queue;
  std::string cron;
  std::string zone;
  std::string next;  ///< a worker looks at it then; also while it is paused, when nobody does
  std::string last;  ///< all times up to then were seen to
  bool paused = false;
  std::optional<std::string> closure;      ///< with keys, as all that follows
  std::optional<std::string> source;       ///< file and line of its closure
  std::optional<jobs::catch_up> catch_up;  ///< what becomes of times that nobody saw
  std::optional<std::string> problem;      ///< why it cannot be trusted or read, so that it pushes nothing
};
WEFT_DESCRIBE(shown_schedule, name, queue, cron, zone, next, last, paused, closure, source, catch_up,
              problem);

/// `weft schedules list`.
struct shown_schedules {
  int schema = jobs_schema;
  std::vector<shown_schedule> schedules;  ///< by name
};
WEFT_DESCRIBE(shown_schedules, schema, schedules);

/// `weft schedules show`.
struct shown_schedule_details {
  int schema = jobs_schema;
  shown_schedule schedule;
  std::vector<std::string> times;  ///< the next ones
  std::vector<shown_job> jobs;     ///< the newest of its jobs, newest first
};
WEFT_DESCRIBE(shown_schedule_details, schema, schedule, times, jobs);

/// What the row says without keys: the cron expression and the zone are beside the envelope. Nothing is
/// verified, so it is for people alone.
jobs::schedule_info unverified(const jobs::stored_schedule& row);

/// Of the schedule, as its expression says; nothing where it cannot be read.
std::optional<jobs::cron> cron_of(const jobs::schedule_info& from);

shown_schedule view_of(const jobs::schedule_info& from, bool with_keys);

/// As people read them; control characters are escaped.
std::string list_text(const std::vector<jobs::schedule_info>& schedules, bool with_keys, jobs::moment now);
std::string details_text(const jobs::schedule_info& from, bool with_keys,
                         const std::vector<jobs::moment>& times, const std::vector<jobs::job_info>& newest,
                         jobs::moment now);

}  // namespace weft::cli
