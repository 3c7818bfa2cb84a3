#pragma once

#include <string_view>

namespace weft::inline v1 {

/// Where a closure runs that somebody else runs: a job, by a jobs::worker. One that is called, given to
/// weft::go or sent by a workers::client runs where that says.
enum class run_place : unsigned char {
  unsaid,   ///< the runner's choice
  fiber,    ///< on a fiber: it waits, and does not hold its thread for long
  pool,     ///< on a thread of a pool: it blocks or computes
  workers,  ///< in a worker process: it may crash, or must be killed on time
};

/// "unsaid", "fiber", "pool", "workers".
std::string_view to_string(run_place place) noexcept;

}  // namespace weft::inline v1
