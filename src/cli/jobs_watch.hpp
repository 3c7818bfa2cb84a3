#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

#include "cli/jobs_view.hpp"

namespace weft::inline v1::cli {

/// `weft jobs watch`: how many jobs there are in each state, again and again.
struct jobs_watch_options {
  std::string store;
  std::string queue;  ///< empty: all
  std::chrono::microseconds interval = std::chrono::seconds(1);
  std::size_t count = 0;  ///< end after so many looks; 0: at a signal
};

/// A line of it where stdout is no terminal.
struct watched_counts {
  int schema = jobs::view_schema;
  std::string time;
  std::vector<shown_queue> queues;
};
WEFT_DESCRIBE(watched_counts, schema, time, queues);

/// On a terminal one line that changes, else a line of JSON for each look. Ends with 0 at SIGINT or SIGTERM;
/// 1 where the database cannot be read.
int run_jobs_watch(const jobs_watch_options& options);

}  // namespace weft::inline v1::cli
