#pragma once

#include <cstddef>

#include <weft/executor/executor.hpp>

namespace weft::inline v1 {

/// Runs its tasks one after the other, in the order in which they came, on another executor: what only they
/// touch needs no lock. No thread is held while there is nothing to run. A task that waits on a thread
/// keeps that thread, and the strand. Priorities are those of the strand as a whole: it has none.
///
/// Choose it over a pool of one thread where many such lines are needed, or none is busy for long.
///
/// A handle: copies are the same strand. What it holds when the executor drops it will not run. Dropping the
/// last handle lets what was posted run. Thread-safe. Cost: one post to the executor for up to 16 tasks.
class strand : public executor {
 public:
  /// A new one. `queue_max` tasks wait at most; post throws resource_exhausted above.
  explicit strand(executor on, std::size_t queue_max = 1'000'000);
};

}  // namespace weft::inline v1
