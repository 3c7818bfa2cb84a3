#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/context/cancellation.hpp>
#include <weft/core/clock.hpp>
#include <weft/core/fault_point.hpp>

namespace weft::inline v1::testing {

/// What happens at a fault point, on the task that passes it. See fails, throws, waits, cancels, calls.
struct fault_action {
  std::function<int()> run;  ///< gives the errno that the point is to fail with; 0: the point goes on
  bool only_errno = false;   ///< it neither throws nor waits
};

/// The point fails with this errno.
fault_action fails(int errno_value);
/// The point throws a copy of `error`.
template <typename Error>
fault_action throws(Error error) {
  return {[error = std::move(error)]() -> int { throw error; }, false};
}
/// The point waits, as weft::sleep_for, and goes on.
fault_action waits(steady_clock::duration time);
/// The point throws weft::cancelled, as a wait of a task that was cancelled just there.
fault_action cancels();
/// The point calls `what`, which may throw and wait: for an event that the test sets, say.
fault_action calls(std::function<void()> what);

/// At which passings of a point something happens. All of it must hold.
struct fault_when {
  std::size_t after = 0;                                        ///< not at the first so many
  std::size_t times = std::numeric_limits<std::size_t>::max();  ///< not more often
  double chance = 1;  ///< of each passing that is left, 0 to 1; which ones it is, the seed says
  std::uint64_t seed = 1;
};

/// Lets something happen at the fault points of one name while it lives; those of the whole process, on any
/// thread. See weft::fault_point, and known_fault_points() for weft's own.
///
///     const weft::testing::fault full("weft.files.write", weft::testing::fails(ENOSPC), {.after = 2});
///     EXPECT_THROW(save(), weft::error);
///
/// Thread-safe. What passes the point may still be inside the action when this ends; what the action refers
/// to outlives that. In weft::testing::run, one that no point passed fails the test.
class [[nodiscard]] fault {
 public:
  /// Throws weft::error: not_found for a name that begins with "weft." and is none of weft's; already_exists
  /// where the point is armed; invalid_argument for an action that throws or waits at a point where only an
  /// errno can be given.
  fault(std::string point, fault_action action, fault_when when = {});
  fault(fault&&) noexcept;
  fault& operator=(fault&&) = delete;
  ~fault();

  std::size_t passed() const;  ///< how often the point was passed
  std::size_t struck() const;  ///< how often the action was begun
  /// Waits until the action was begun for the first time. A cancellation point.
  void wait_struck() const;

 private:
  struct state;
  std::shared_ptr<state> state_;  // null: moved from
};

}  // namespace weft::inline v1::testing
