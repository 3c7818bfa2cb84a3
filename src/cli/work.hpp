#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <weft/jobs/job.hpp>
#include <weft/log/format.hpp>
#include <weft/log/level.hpp>

namespace weft::inline v1::cli {

/// `weft work`: runs the commands that `weft jobs push --exec` keeps.
struct work_options {
  std::string store;
  std::string keys;                 ///< key file; empty: WEFT_KEYS
  std::vector<std::string> queues;  ///< in the order they are looked at; none: "default"
  static constexpr std::size_t concurrency_max = 10'000;
  std::size_t concurrency = 10;
  std::chrono::microseconds stop_grace = std::chrono::seconds(10);  ///< after the first signal
  std::chrono::microseconds kill_grace = std::chrono::seconds(2);   ///< between SIGTERM and SIGKILL
  std::chrono::microseconds retry_first = std::chrono::seconds(1);  ///< wait after the first failed attempt
  std::chrono::microseconds retry_longest = std::chrono::hours(1);
  jobs::job_retention retention = {};
  std::string admin;  ///< where the admin listener is; empty: nowhere
  log::line_format log_format = log::line_format::automatic;
  std::string log_file;  ///< empty: stderr
  log::level log_level = log::level::info;
  std::set<std::string> said;     ///< settings that the command line said: a reload does not change them
  std::vector<std::string> pass;  ///< variables that programs get, beside the usual ones
  bool once = false;              ///< run what is due, and end
  bool list_jobs = false;         ///< print which jobs it knows, and end; needs no store
  bool as_json = false;           ///< the list
};

/// Works until SIGTERM or SIGINT: then nothing more is started, what runs may end within the grace, and what
/// does not goes back to its queue; a second signal does that at once. SIGHUP reads the settings again
/// (work_reload), SIGUSR1 opens the log's file anew. The service manager hears of it all (ops::lifecycle).
/// Gives the exit status: 0; 1 after a second signal, and where it could not begin.
int run_work(const work_options& options);

}  // namespace weft::inline v1::cli
