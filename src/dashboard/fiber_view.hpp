#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/codec/describe.hpp>

namespace weft::inline v1::dashboard {

/// A fiber of this process's run.
struct shown_fiber {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string name;
  std::string state;
  std::optional<std::string> waits_in;  ///< "channel::pop"
  std::uint64_t loop = 0;               ///< the thread it is on
  double age_seconds = 0;
};
WEFT_DESCRIBE(shown_fiber, id, parent, name, state, waits_in, loop, age_seconds);

/// How many do the same.
struct fiber_group {
  std::string what;  ///< "runs", "is ready", or what they wait in
  std::uint64_t fibers = 0;
};
WEFT_DESCRIBE(fiber_group, what, fibers);

struct shown_fibers {
  std::uint64_t total = 0;
  std::vector<fiber_group> groups;  ///< the largest first
  std::vector<shown_fiber> fibers;  ///< the oldest ones
};
WEFT_DESCRIBE(shown_fibers, total, groups, fibers);

/// The fibers of the run that the caller is in: the oldest ones, and how many there are. Never waits.
shown_fibers view_of_fibers(std::size_t shown_max);

}  // namespace weft::inline v1::dashboard
