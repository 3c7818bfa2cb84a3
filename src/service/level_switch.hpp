#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <weft/codec/describe.hpp>
#include <weft/core/clock.hpp>
#include <weft/fiber/timer.hpp>
#include <weft/log/level.hpp>

namespace weft::inline v1::ops::detail {

/// The log's level, to people.
struct level_state {
  std::string level = {};
  std::optional<std::string> then = {};           ///< what it will be again
  std::optional<std::int64_t> seconds_left = {};  ///< until then
};
WEFT_DESCRIBE(level_state, level, then, seconds_left);

/// Changes the level of the log while the program runs, for good or for a time. Used by one loop; its end
/// puts back what was changed for a time.
class level_switch {
 public:
  level_switch() = default;
  level_switch(const level_switch&) = delete;
  level_switch& operator=(const level_switch&) = delete;
  ~level_switch();

  void set(log::level to);
  /// After `time` the level is again what it was before the first change of this kind.
  void set_for(log::level to, std::chrono::milliseconds time);
  level_state look() const;

 private:
  void go_back() noexcept;

  std::optional<log::level> former_;  // while a change for a time is in force
  steady_time until_{};
  timer back_;
};

}  // namespace weft::inline v1::ops::detail
