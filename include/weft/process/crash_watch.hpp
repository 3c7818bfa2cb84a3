#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <weft/core/clock.hpp>
#include <weft/process/restart_intensity.hpp>

namespace weft::inline v1::process {

/// Decides when who keeps processes has to pause before it forks again: after too many of them died in a
/// while, and after forks that failed. Each pause is twice as long as the one before, up to the bound, until
/// it was quiet for a while. Allocates nothing after it was made.
class crash_watch {
 public:
  explicit crash_watch(restart_intensity allowed);

  /// A process died by itself. True where that begins a pause.
  bool died(steady_time now) noexcept;
  /// The system had no room for another process: always begins a pause.
  void fork_failed(steady_time now) noexcept;
  void fork_succeeded() noexcept { failed_in_row_ = 0; }

  /// The end of the pause; of one that has passed, or of none, a time that has passed.
  steady_time resumes_at() const noexcept { return resumes_at_; }
  bool is_pausing(steady_time now) const noexcept { return now < resumes_at_; }

 private:
  /// Keeps the time of a death; true where there were more than deaths_max in the while.
  bool is_one_too_many(steady_time now) noexcept;
  void pause(steady_time now, std::size_t nth) noexcept;

  restart_intensity allowed_;
  std::vector<steady_time> deaths_;  // a ring of the last deaths_max
  std::size_t oldest_ = 0;           // of the ring, once it is full
  std::size_t kept_ = 0;
  steady_time last_death_{};
  steady_time resumes_at_{};
  std::size_t pauses_in_row_ = 0;
  std::size_t failed_in_row_ = 0;
};

}  // namespace weft::inline v1::process
