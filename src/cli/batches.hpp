#pragma once

#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>
#include <weft/jobs/batch.hpp>

#include "cli/jobs_options.hpp"
#include "cli/jobs_view.hpp"

namespace weft::inline v1::cli {

// `weft batches`: jobs that were pushed together, and the last job that waits for the end of all of them.
// What --json prints is in docs/command-line.md, by the rules of jobs_view.hpp.

struct shown_batch {
  std::string id;                 ///< also of its last job
  jobs::state_counts jobs;        ///< the last one not counted; deleted ones are forgotten
  std::optional<shown_job> last;  ///< null: it was deleted
};
WEFT_DESCRIBE(shown_batch, id, jobs, last);

/// `weft batches list`.
struct shown_batches {
  int schema = jobs::view_schema;
  std::vector<shown_batch> batches;  ///< newest first
  std::optional<std::string> next;   ///< for --before, where there may be more
};
WEFT_DESCRIBE(shown_batches, schema, batches, next);

/// `weft batches show`.
struct shown_batch_details {
  int schema = jobs::view_schema;
  shown_batch batch;
  std::vector<shown_job> given_up;  ///< its newest dead, cancelled and quarantined jobs
};
WEFT_DESCRIBE(shown_batch_details, schema, batch, given_up);

// Of the options they take store, keys, as_json, ids, before, limit. Each gives the exit status: 0, 1 where
// there is no such batch or it could not be read.

int run_batches_list(const jobs_options& options);
int run_batches_show(const jobs_options& options);

}  // namespace weft::inline v1::cli
