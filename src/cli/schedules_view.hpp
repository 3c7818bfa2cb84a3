#pragma once

#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/schedule.hpp>

#include "cli/jobs_view.hpp"

namespace weft::inline v1::cli {

// What `weft schedules ... --json` prints: docs/command-line.md, by the rules of jobs/view.hpp.

using jobs::shown_schedule;

/// `weft schedules list`.
struct shown_schedules {
  int schema = jobs::view_schema;
  std::vector<shown_schedule> schedules;  ///< by name
};
WEFT_DESCRIBE(shown_schedules, schema, schedules);

/// `weft schedules show`.
struct shown_schedule_details {
  int schema = jobs::view_schema;
  shown_schedule schedule;
  std::vector<std::string> times;  ///< the next ones
  std::vector<shown_job> jobs;     ///< the newest of its jobs, newest first
};
WEFT_DESCRIBE(shown_schedule_details, schema, schedule, times, jobs);

/// As people read them; control characters are escaped.
std::string list_text(const std::vector<jobs::schedule_info>& schedules, bool with_keys, jobs::moment now);
std::string details_text(const jobs::schedule_info& from, bool with_keys,
                         const std::vector<jobs::moment>& times, const std::vector<jobs::job_info>& newest,
                         jobs::moment now);

}  // namespace weft::inline v1::cli
