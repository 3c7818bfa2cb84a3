#pragma once

#include <string>
#include <vector>

#include <weft/jobs/command.hpp>
#include <weft/jobs/schedule.hpp>

namespace weft::inline v1::cli {

/// What the commands of `weft schedules` are asked for; docs/command-line.md says which take what.
struct schedules_options {
  std::string store;  ///< URL of the database: sqlite:/path
  std::string keys;   ///< key file; empty: WEFT_KEYS where that is set, else none
  bool as_json = false;

  std::vector<std::string> names;

  // Of `add`.
  std::string cron;
  std::string zone = "UTC";
  jobs::command command;
  jobs::schedule_options how;
};

// Each gives the exit status: 0; 1 where there is no schedule of a name, or it could not be done; 2 for wrong
// usage. `list` and `show` need no keys: with keys, what only the signed envelope says is shown too. `add`
// and `run-now` sign, so they need them; `pause`, `resume` and `remove` do not.

int run_schedules_list(const schedules_options& options);
int run_schedules_show(const schedules_options& options);
int run_schedules_add(const schedules_options& options);
int run_schedules_pause(const schedules_options& options);
int run_schedules_resume(const schedules_options& options);
int run_schedules_remove(const schedules_options& options);
/// Prints the id of the job.
int run_schedules_run_now(const schedules_options& options);

}  // namespace weft::inline v1::cli
