#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

#include "cli/jobs_options.hpp"

namespace weft::inline v1::cli {

// `weft jobs retry`, `cancel`, `delete`, `pause`, `resume` and `purge`, and `weft batches cancel`. They need
// no keys: what is changed is where a job is, not what it is. Each gives the exit status: 0; 1 where nothing
// matched, a job that was named could not be changed, or the person said no; 2 where a change of many was
// neither confirmed nor confirmable.

/// A job that was left as it is.
struct left_job {
  std::string id;
  std::string why;
};
WEFT_DESCRIBE(left_job, id, why);

/// What `weft jobs retry --json`, `cancel`, `delete` and `purge` print.
struct change_report {
  int schema = 1;
  std::int64_t matched = 0;
  std::int64_t changed = 0;
  bool dry_run = false;
  std::vector<left_job> left;
};
WEFT_DESCRIBE(change_report, schema, matched, changed, dry_run, left);

int run_jobs_retry(const jobs_options& options);
int run_jobs_cancel(const jobs_options& options);
/// Asks also where the jobs are named: they are gone for good.
int run_jobs_delete(const jobs_options& options);
int run_jobs_pause(const jobs_options& options);
int run_jobs_resume(const jobs_options& options);
/// All jobs of the batch that have not ended, its last one too.
int run_batches_cancel(const jobs_options& options);
int run_jobs_purge(const jobs_options& options);

}  // namespace weft::inline v1::cli
