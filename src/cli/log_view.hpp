#pragma once

#include <string>
#include <vector>

#include "cli/log_text.hpp"

namespace weft::inline v1::cli {

/// `weft log view`: shows logbooks, files with a log in the form of Log::Defer on each line.
struct log_view_options {
  std::vector<std::string> files;  ///< none: stdin
  log_style style = {};
  std::string grep;                ///< only logs whose line has this text
  std::vector<std::string> where;  ///< only logs for which all of these hold; see condition
  std::string count;               ///< a path: print how often each value is there, instead of the logs
  std::string map;                 ///< a path: print its value of each log
  std::string sum;      ///< a path: print how many numbers there are, their sum, mean, least and most
  bool sort = false;    ///< by start, all files together
  bool follow = false;  ///< wait for more
};

/// Gives the exit status: 1 where a file or a line could not be read, which is said on stderr.
int run_log_view(const log_view_options& options);

}  // namespace weft::inline v1::cli
