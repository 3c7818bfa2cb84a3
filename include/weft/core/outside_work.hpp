#pragma once

#include <cstdint>

namespace weft::inline v1::detail {

/// While one lives, work is on its way outside of all loops whose end may wake a task: queued or
/// running in a pool. A loop in which everything is parked looks at count(): above zero, somebody may
/// still wake it, and it is no deadlock.
///
/// Whoever holds one wakes its task first and ends the guard then; so a loop that reads zero finds
/// every such wake among its wakes if it looks there afterwards. A simulation runs its pools itself: its work
/// is not outside and is not counted. A forked child has none of the threads and starts from zero.
///
/// Thread-safe. Costs an atomic increment and a decrement.
class outside_work {
 public:
  outside_work() noexcept;
  outside_work(outside_work&& other) noexcept : counted_(other.counted_) { other.counted_ = false; }
  outside_work& operator=(outside_work&& other) noexcept;
  ~outside_work() { end(); }

  /// Ends it before its lifetime does.
  void end() noexcept;
  /// How many there are in the process.
  static std::int64_t count() noexcept;

 private:
  bool counted_;
};

}  // namespace weft::inline v1::detail
