#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <utility>
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

/// Ends that were given up while they were in doubt. Their worker asks for them again, and is to be told what
/// became of them then: without this, one that was stored would be taken for that of a lost claim.
///
/// One loop, any of its fibers.
class doubtful_ends {
 public:
  using view = std::span<const attempt_end* const>;

  /// Is one of them in doubt?
  bool has(view ends) const;
  void add(view ends);
  void settled(view ends);

 private:
  std::set<std::pair<job_id, std::int64_t>> ends_;  // with their fences
};

/// Ends attempts, without what they push.
ended finish_attempts(caller& by, doubtful_ends& doubts, std::span<const attempt_end* const> ends);

/// The same on that connection, once.
ended finish_on(connection& on, std::span<const attempt_end* const> ends);

/// Ends one that succeeded, and pushes what it has, both or none.
ended finish_and_push(caller& by, names& known, doubtful_ends& doubts, const attempt_end& end);

/// SQLSTATE of a function that was to do all or nothing, and met another state than was seen before.
inline constexpr const char* not_as_seen = "WF020";

}  // namespace weft::inline v1::jobs::postgres
