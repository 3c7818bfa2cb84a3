#pragma once

#include <optional>
#include <string>

#include <weft/jobs/command.hpp>
#include <weft/jobs/job.hpp>

namespace weft::inline v1::cli {

/// `weft batches push FILE`: keeps the programs of a file as a batch, and one that runs behind all of them.
struct batches_push_options {
  std::string store;
  std::string keys;        ///< key file; empty: WEFT_KEYS
  std::string file;        ///< a line of JSON for each program, as jobs::command; "-": stdin
  jobs::command then;      ///< runs last; without arguments it is `true`
  jobs::push_options how;  ///< of the jobs; the queue, and the tags, are those of the last one, too
  bool as_json = false;
};

/// Prints the id of the batch once all of it is on disk: all jobs, or none. Gives the exit status: 0, 1 where
/// it was not kept; an error names the line.
int run_batches_push(const batches_push_options& options);

}  // namespace weft::inline v1::cli
