#pragma once

#include <span>
#include <vector>

#include <weft/jobs/store.hpp>

#include "jobs/postgres/caller.hpp"
#include "jobs/postgres/names.hpp"

namespace weft::inline v1::jobs::postgres {

/// Which of the ends that were asked for were those of an attempt that was held.
struct ended {
  std::vector<bool> held;
  bool work = false;  ///< something has become ready, or has a moment to wait for
};

/// Ends attempts, without what they push.
ended finish_attempts(caller& by, std::span<const attempt_end* const> ends);

/// The same on that connection, once.
ended finish_on(connection& on, std::span<const attempt_end* const> ends);

/// Ends one that succeeded, and pushes what it has, both or none.
ended finish_and_push(caller& by, names& known, const attempt_end& end);

/// SQLSTATE of a function that was to do all or nothing, and met another state than was seen before.
inline constexpr const char* not_as_seen = "WF020";

}  // namespace weft::inline v1::jobs::postgres
