#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <weft/jobs/command.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::cli {

/// `weft jobs push --exec -- COMMAND ARGUMENT...`: keeps a program as a job, which `weft work` runs.
struct jobs_push_options {
  std::string store;
  std::string keys;  ///< key file; empty: WEFT_KEYS
  jobs::command command;
  jobs::push_options how;
  std::optional<std::chrono::microseconds> expires_in;  ///< from the push on, by the queue's clock
  std::optional<jobs::job_id> batch;                    ///< that it becomes one of
  bool as_json = false;
};

/// Prints the id of the job once it is on disk. Gives the exit status: 0, 1 where it was not kept, 2 without
/// a command.
int run_jobs_push(const jobs_push_options& options);

/// The command, and of each NAME alone in its environment the value that it has here. Throws weft::error
/// (not_found) where it has none.
jobs::command with_variables_of_here(jobs::command command);

/// The id, or a line of JSON with it.
void print_pushed(jobs::job_id id, bool as_json);

}  // namespace weft::inline v1::cli
