#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <weft/jobs/job.hpp>

namespace weft::inline v1::cli {

/// What the commands of `weft jobs` are asked for; docs/command-line.md says which take what.
struct jobs_options {
  std::string store;  ///< URL of the database: sqlite:/path
  std::string keys;   ///< key file; empty: WEFT_KEYS where that is set, else none
  bool as_json = false;

  std::vector<jobs::job_id> ids;         ///< show, retry, cancel, delete
  std::optional<jobs::job_state> state;  ///< list, retry, cancel, delete
  std::string queue;                     ///< the same; empty: all
  std::string tag;                       ///< the same
  std::optional<jobs::job_id> before;    ///< list: jobs older than that
  std::size_t limit = 100;               ///< list: so many
  bool follow = false;                   ///< list: go on with what comes and changes

  bool all = false;      ///< retry, cancel, delete: without ids and filters
  bool yes = false;      ///< do not ask
  bool dry_run = false;  ///< say what would be changed

  std::vector<std::string> queues;                      ///< pause, resume
  std::optional<std::chrono::microseconds> older_than;  ///< purge
};

}  // namespace weft::inline v1::cli
