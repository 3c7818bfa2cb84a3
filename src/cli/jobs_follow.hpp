#pragma once

#include <weft/codec/describe.hpp>

#include "cli/jobs_options.hpp"
#include "cli/jobs_view.hpp"

namespace weft::inline v1::cli {

/// A line of `weft jobs list --follow --json`.
struct followed_job {
  int schema = jobs::view_schema;
  shown_job job;
};
WEFT_DESCRIBE(followed_job, schema, job);

/// `weft jobs list --follow`: the page that `list` shows, oldest first, and then each job that comes or
/// changes, a line each. Sleeps until the store says that something happened. Ends with 0 at SIGINT or
/// SIGTERM; 1 where the database cannot be read, or nobody reads the lines any more.
int run_jobs_follow(const jobs_options& options);

}  // namespace weft::inline v1::cli
