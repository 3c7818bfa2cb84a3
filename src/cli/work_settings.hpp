#pragma once

#include <map>
#include <string>

#include "cli/work.hpp"

namespace weft::inline v1::cli {

/// What `weft work` takes over of its settings while it runs: the level of the log, unless the command line
/// said it. What else was changed is named in the log, and holds from the next start on.
class work_reload {
 public:
  explicit work_reload(const work_options& started_with);

  /// Throws weft::error as config::load where something is wrong with the settings; nothing is changed then.
  void read_again();

 private:
  std::map<std::string, std::string> in_force_;  // settings by name
  bool takes_level_;
};

}  // namespace weft::inline v1::cli
