#pragma once

#include <chrono>

#include <weft/core/clock.hpp>

namespace weft::inline v1::jobs {

/// A moment as jobs store it: microseconds of UTC.
using moment = std::chrono::sys_time<std::chrono::microseconds>;

/// The seam for time in jobs: what a job's moments are compared with. The real one reads the wall
/// clock; tests set their own. Leases never use it: they count intervals of the monotonic clock.
///
/// Thread-safety: now() is called from any thread.
class clock {
 public:
  virtual ~clock() = default;
  virtual moment now() const = 0;
  /// The wall clock of this machine. Lives for ever.
  static const clock& system();
};

}  // namespace weft::inline v1::jobs
