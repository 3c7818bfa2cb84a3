#pragma once

#include <string>
#include <vector>

namespace weft::inline v1::cli {

/// What `weft dashboard` is asked for.
struct dashboard_options {
  std::string store;  ///< URL of the database
  std::string keys;   ///< key file; empty: WEFT_KEYS where that is set, else none
  std::string listen = "127.0.0.1:8484";
  std::string operator_token_file;  ///< empty: a token is made, and printed
  std::string viewer_token_file;    ///< empty: there are no viewers
  std::vector<std::string> hosts;   ///< names by which browsers ask for it, besides those of this machine
  std::string trace_url;            ///< as site_options::trace_url
  std::string worker_url;           ///< as site_options::worker_url
  std::vector<std::string> shown_context;  ///< the same
  bool is_behind_https = false;
};

/// `weft dashboard`: serves until a signal.
int run_dashboard(const dashboard_options& options);

}  // namespace weft::inline v1::cli
