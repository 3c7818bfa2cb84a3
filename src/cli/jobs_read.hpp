#pragma once

#include "cli/jobs_options.hpp"

namespace weft::inline v1::cli {

// `weft jobs list`, `show` and `stats`: they change nothing. Keys are not needed; with keys, what only the
// envelope says is shown too. Each gives the exit status: 0, 1 where there is no such job or it could not be
// read.

int run_jobs_list(const jobs_options& options);
int run_jobs_show(const jobs_options& options);
int run_jobs_stats(const jobs_options& options);

}  // namespace weft::inline v1::cli
