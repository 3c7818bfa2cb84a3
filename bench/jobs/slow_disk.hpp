#pragma once

#include <chrono>

namespace weft::bench {

/// As long as it lives, each sync of a file that SQLite opens from then on takes as long as on a disk that
/// does so many in a second. One at a time.
class slow_disk {
 public:
  explicit slow_disk(int syncs_a_second);
  slow_disk(const slow_disk&) = delete;
  slow_disk& operator=(const slow_disk&) = delete;
  ~slow_disk();
};

}  // namespace weft::bench
