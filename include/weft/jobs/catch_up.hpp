#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <weft/jobs/clock.hpp>
#include <weft/jobs/cron.hpp>

namespace weft::inline v1::jobs {

/// What becomes of the times of a schedule that passed while nobody was there to see them.
enum class catch_up {
  skip,  ///< nothing: it goes on with the next one
  one,   ///< the latest one stands for all
  all,   ///< each is made up for, within bounds
};

/// Bounds of that.
struct catch_up_bounds {
  std::chrono::microseconds late_max = std::chrono::minutes(1);    ///< by this much late is still in time
  std::chrono::microseconds age_max = std::chrono::hours(24 * 7);  ///< what is older is not made up for
  std::size_t fires_max = 100;  ///< so many at a time; the latest ones. At least 1
};

/// What is to be done now.
struct due_times {
  std::vector<moment> times;  ///< oldest first
  bool left_out = false;      ///< the policy or a bound left some out
};

/// The times of `schedule` after `last` and up to `now` that are to be done now. `last` is the latest one
/// that was done, or looked at, or when the schedule was made. Nothing is due where `now` is not after it:
/// clocks that are put back make nothing happen twice.
///
/// A time that is in time is due whatever the policy says; `one` adds the latest other one only where there
/// is none. A pure function; it may be called from any thread. Cost: next_after() a few times for each time
/// in the result.
due_times due_since(const cron& schedule, moment last, moment now, catch_up policy,
                    const catch_up_bounds& bounds = {});

}  // namespace weft::inline v1::jobs
