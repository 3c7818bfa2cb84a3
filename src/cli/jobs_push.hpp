#pragma once

#include <string>
#include <vector>

#include <weft/jobs/command.hpp>
#include <weft/jobs/job.hpp>

namespace weft::cli {

/// `weft jobs push --exec -- COMMAND ARGUMENT...`: keeps a program as a job, which `weft work` runs.
struct jobs_push_options {
  std::string store;
  std::string keys;   ///< key file; empty: WEFT_KEYS
  bool exec = false;  ///< needed: one day a job may be something else
  jobs::command command;
  jobs::push_options how;
  bool as_json = false;
};

/// Prints the id of the job once it is on disk. Gives the exit status: 0, 1 where it was not kept, 2 without
/// a command.
int run_jobs_push(const jobs_push_options& options);

/// "NAME=value" as it is; of a NAME alone the value that it has here. Throws weft::error (not_found) where it
/// has none.
std::string variable_of(const std::string& text);

}  // namespace weft::cli
