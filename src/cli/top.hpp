#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace weft::inline v1::cli {

struct top_options {
  std::string store;
  std::chrono::microseconds interval = std::chrono::seconds(1);
  std::size_t count = 0;  ///< end after so many looks; 0: at a signal or `q`
  bool as_json = false;
};

/// `weft top`: queues with their rates, workers and running jobs, as they change. On a terminal one screen,
/// with keys; elsewhere text, once unless `count` says otherwise; with `as_json` a line of JSON for each
/// look. A database that cannot be asked later on is said, and asked again. Ends with 0 at SIGINT, SIGTERM or
/// `q`.
int run_top(const top_options& options);

}  // namespace weft::inline v1::cli
