#pragma once

#include <map>
#include <string>
#include <string_view>

#include <weft/jobs/worker.hpp>

#include "cli/work.hpp"
#include "cli/work_log.hpp"

namespace weft::inline v1::cli {

struct command_settings;

/// How the worker of `weft work` does its work, as the options say.
jobs::worker_options worker_of(const work_options& options);

/// Does a `weft work` that runs take that setting over at SIGHUP? Else it holds from the next start on.
bool is_reloaded(std::string_view setting);

/// What `weft work` takes over of its settings while it runs (is_reloaded), but for those that the command
/// line said. What else was changed is named in the log, and holds from the next start on.
///
/// One fiber at a time. Lifetime: within that of the worker and of the log.
class work_reload {
 public:
  work_reload(const work_options& started_with, jobs::worker& worker, work_log& log);

  /// Throws weft::error where something is wrong with the settings, as config::load, or where the log's file
  /// cannot be opened; nothing is changed then.
  void read_again();

 private:
  work_options wanted_by(const command_settings& now) const;
  void tell(const std::map<std::string, std::string>& now) const;

  jobs::worker& worker_;
  work_log& log_;
  work_options in_force_;
  std::map<std::string, std::string> seen_;  // settings by name
};

}  // namespace weft::inline v1::cli
